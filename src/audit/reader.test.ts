import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { segmentsOf } from './layout.ts';
import { type AuditQuery, readAudit } from './reader.ts';
import { anEntry, anEvent, type ScratchEvidence, scratchEvidence } from './testing/scratch.ts';

let evidence: ScratchEvidence;
beforeEach(async () => {
  evidence = scratchEvidence();
  for (const worker of [1, 2]) {
    const writer = await evidence.open({ worker, segmentBytes: 2000 });
    for (let n = 0; n < 30; n++) {
      void writer.record(anEntry(n, 's'));
      await writer.audit(anEvent(n * 2 + worker, { session: `s${n % 3}` }));
    }
    await writer.close();
  }
});
afterEach(() => evidence.remove());

async function read(query: AuditQuery): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { event } of readAudit(evidence.dir, query)) found.push(event['n']);
  return found;
}

it('merges the chains of all writers by time', async () => {
  await expect(read({})).resolves.toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
});

it.each<[string, AuditQuery, number[]]>([
  ['the newest', { last: 3 }, [58, 59, 60]],
  ['the newest of a session', { last: 3, session: 's0' }, [50, 55, 56]],
  ['more than there are of a time on', { last: 500, since: 1_700_000_000_057 }, [57, 58, 59, 60]],
  ['what is about a target', { target: 't7' }, []],
  ['a type', { types: ['alarm'] }, []],
  ['none', { last: 0 }, []],
])('finds %s', async (_name, query, expected) => {
  await expect(read(query)).resolves.toEqual(expected);
});

it('does not open segments that end long before the time asked for', async () => {
  const hours = 3_600_000;
  let at = 1_800_000_000_000;
  const writer = await evidence.open({ worker: 3, segmentBytes: 2000, clock: { now: () => at, monotonic: () => at } });
  for (let n = 0; n < 40; n++, at += hours / 2) await writer.audit(anEvent(at - 1_700_000_000_000));
  await writer.close();
  const [first] = segmentsOf(evidence.dir, 'gw-1-3');
  appendFileSync(first?.path ?? '', Buffer.alloc(64, 0xff)); // cannot be read through
  const found = await read({ since: at - 3 * hours });
  expect(found).toHaveLength(6);
  await expect(read({ since: 1_800_000_000_000 })).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
});

it('follows what is appended, in segments not yet there too, and stops when told', async () => {
  const writer = await evidence.open({ segmentBytes: 2000 });
  const stop = new AbortController();
  const found: unknown[] = [];
  const reading = (async () => {
    for await (const { event } of readAudit(evidence.dir, { last: 1, follow: true, signal: stop.signal })) {
      found.push(event['n']);
      if (found.length === 21) stop.abort();
    }
  })();
  await vi.waitFor(() => expect(found).toEqual([60]));
  for (let n = 100; n < 120; n++) {
    await writer.audit(anEvent(n));
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 110));
  }
  await reading;
  expect(found).toEqual([60, ...Array.from({ length: 20 }, (_, n) => n + 100)]);
  await writer.close();
});

it('reads on beside a segment that cannot be read, and says so', async () => {
  const path = segmentsOf(evidence.dir, 'gw-1-1').at(-1)?.path ?? '';
  appendFileSync(path, Buffer.alloc(64, 0xff));
  const told: string[] = [];
  const all = await read({ broken: (file) => told.push(file) });
  expect(all).toHaveLength(60);
  expect(told).toEqual([path]);
  await expect(read({})).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
});
