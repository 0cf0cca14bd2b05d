import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../core/fault.ts';
import { chunksOf } from './chunks.ts';
import { segmentsOf } from './layout.ts';
import { readAudit } from './reader.ts';
import { OpenSegment } from './segment.ts';
import { anEntry, anEvent, openSealer, type ScratchEvidence, scratchEvidence } from './testing/scratch.ts';

let evidence: ScratchEvidence;
beforeEach(() => {
  evidence = scratchEvidence();
});
afterEach(() => evidence.remove());

async function numbers(): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { event } of readAudit(evidence.dir)) found.push(event['n']);
  return found;
}

const lastSegment = (chain = 'gw-1-1'): string => segmentsOf(evidence.dir, chain).at(-1)?.path ?? '';

describe('the evidence writer', () => {
  it.each([
    ['process', false],
    ['process', true],
    ['power', false],
  ] as const)(
    'keeps events in the order of the calls and recordings beside them (%s, quick %s)',
    async (durability, quickWrites) => {
      const writer = await evidence.open({ durability, quickWrites });
      const done = [];
      for (let n = 0; n < 200; n++) {
        done.push(writer.audit(anEvent(n)), writer.record(anEntry(n, `s${n % 3}`, n % 2 ? 'shop' : 'crm')));
        if (n % 50 === 0) await Promise.all(done);
      }
      await Promise.all(done);
      await expect(numbers()).resolves.toEqual(Array.from({ length: 200 }, (_, n) => n));
      let text = '';
      for await (const chunk of chunksOf(evidence.dir, 's1'))
        if (chunk.target === 'shop') text += chunk.body?.toString() ?? '';
      expect(text).toContain('select 1\n');
      await writer.close();
      await expect(evidence.verify()).resolves.toMatchObject({
        ok: true,
        chains: [{ writer: 'gw-1-1', unfinished: 0 }],
      });
    },
  );

  it('writes what comes alone at once, and what one turn of a busy loop appends in one write, with one chunk per target', async () => {
    const writer = await evidence.open();
    await Promise.all(Array.from({ length: 50 }, (_, n) => writer.record(anEntry(n, `s${n}`, n % 2 ? 'shop' : 'crm'))));
    await writer.close();
    await expect(evidence.verify()).resolves.toMatchObject({ chains: [{ records: 1 + 2 }] });
  });

  it('writes an event and its entry at once, and the event alone where the entry cannot be taken', async () => {
    const sealer = {
      key: (target: string) => {
        if (target === 'lost') throw new Fault('SECRET_UNAVAILABLE', 'no key');
        return openSealer.key(target);
      },
    };
    const writer = await evidence.open({ sealer });
    const text = (n: number): string => JSON.stringify(anEvent(n));
    await Promise.all([writer.audit(anEvent(0)), writer.audit(anEvent(0)), writer.audit(anEvent(0))]);
    const [first, second] = [writer.both(text(1), anEntry(1, 's')), writer.record(anEntry(1, 's'), 'soon')];
    expect(first).toBe(second);
    await first;
    await expect(writer.both(text(2), anEntry(2, 's', 'lost'))).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
    await writer.close();
    await expect(numbers()).resolves.toEqual([0, 0, 0, 1, 2]);
    await expect(evidence.verify()).resolves.toMatchObject({ ok: true, chains: [{ records: 5 }] });
  });

  it('goes on in new segments, with an index beside each finished one, and after a restart', async () => {
    for (let round = 0; round < 3; round++) {
      const writer = await evidence.open({ segmentBytes: 4000 });
      for (let n = 0; n < 40; n++) {
        void writer.record(anEntry(n, `s${n % 4}`));
        await writer.audit(anEvent(round * 100 + n));
      }
      await writer.close();
    }
    const report = await evidence.verify();
    expect(report).toMatchObject({ ok: true, problems: [], chains: [{ records: 240, signed: 240 }] });
    const segments = segmentsOf(evidence.dir, 'gw-1-1');
    expect(segments.length).toBeGreaterThan(3);
    expect(readdirSync(join(evidence.dir, 'gw-1-1')).filter((name) => name.endsWith('.idx'))).toHaveLength(
      segments.length - 1,
    );
    const count = async (): Promise<number> => {
      let chunks = 0;
      for await (const chunk of chunksOf(evidence.dir, 's2')) chunks += chunk.sessions.length;
      return chunks;
    };
    const indexed = await count();
    expect(indexed).toBe(30);
    for (const name of readdirSync(join(evidence.dir, 'gw-1-1')))
      if (name.endsWith('.idx')) rmSync(join(evidence.dir, 'gw-1-1', name));
    await expect(count()).resolves.toBe(indexed);
  });

  it('has one process per chain', async () => {
    const writer = await evidence.open();
    await expect(evidence.open()).rejects.toMatchObject({ code: 'CONFLICT' });
    const other = await evidence.open({ worker: 2 });
    await Promise.all([writer.close(), other.close()]);
    await (await evidence.open()).close();
  });

  it('refuses what is over its limits, what has no key, and everything after it was closed', async () => {
    const sealer = {
      key: (target: string) => {
        if (target === 'lost') throw new Fault('SECRET_UNAVAILABLE', 'no key');
        return openSealer.key(target);
      },
    };
    const writer = await evidence.open({ sealer });
    const refused = { code: 'EVIDENCE_UNWRITABLE' };
    await expect(writer.record({ ...anEntry(1, 's'), body: new Uint8Array(17 * 1024 * 1024) })).rejects.toMatchObject(
      refused,
    );
    await expect(writer.record(anEntry(1, 's'.repeat(200)))).rejects.toMatchObject(refused);
    await expect(writer.record(anEntry(1, 's', 'lost'))).rejects.toMatchObject(refused);
    await expect(writer.audit(anEvent(1))).resolves.toBeUndefined();
    await writer.close();
    await expect(writer.audit(anEvent(2))).rejects.toMatchObject(refused);
    await expect(numbers()).resolves.toEqual([1]);
  });
});

describe('a disk that fails', () => {
  it.each([
    ['a write that fails', 'fails'],
    ['a write that stops in the middle', 'partial'],
  ] as const)('%s rejects what waits, leaves nothing half written, and is got over', async (_name, how) => {
    const writer = await evidence.open();
    await writer.audit(anEvent(1));
    const append = Reflect.get(OpenSegment.prototype, 'append');
    OpenSegment.prototype.append = async function (bytes, quick) {
      if (how === 'partial') appendFileSync(this.path, bytes.subarray(0, bytes.length - 5));
      await append.call(this, Buffer.alloc(0), quick);
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    };
    try {
      const waiting = await Promise.allSettled([writer.audit(anEvent(2)), writer.record(anEntry(2, 's'))]);
      expect(waiting).toMatchObject([
        { status: 'rejected', reason: { code: 'EVIDENCE_UNWRITABLE' } },
        { status: 'rejected', reason: { code: 'EVIDENCE_UNWRITABLE' } },
      ]);
    } finally {
      OpenSegment.prototype.append = append;
    }
    // Not tried again at once, but soon.
    await expect(writer.audit(anEvent(3))).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await writer.audit(anEvent(4));
    await writer.close();
    expect(evidence.alarms.map((fault) => fault.code)).toEqual(['EVIDENCE_UNWRITABLE']);
    await expect(numbers()).resolves.toEqual([1, 4]);
    await expect(evidence.verify()).resolves.toMatchObject({ ok: true, chains: [{ records: 2 }] });
  });

  it('does not acknowledge under power what could not be synced', async () => {
    const writer = await evidence.open({ durability: 'power' });
    const sync = Reflect.get(OpenSegment.prototype, 'sync');
    OpenSegment.prototype.sync = () => Promise.reject(new Error('EIO'));
    try {
      await expect(writer.audit(anEvent(1))).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
    } finally {
      OpenSegment.prototype.sync = sync;
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    await writer.audit(anEvent(2));
    await writer.close();
    await expect(numbers()).resolves.toEqual([2]);
  });

  it('is stalled while a write has been out for two seconds, without holding up the loop', async () => {
    let now = 0;
    const writer = await evidence.open({ clock: { now: () => Date.now(), monotonic: () => now } });
    const append = Reflect.get(OpenSegment.prototype, 'append');
    const { promise, resolve } = Promise.withResolvers<void>();
    OpenSegment.prototype.append = async function (bytes, quick) {
      await promise;
      await append.call(this, bytes, quick);
    };
    try {
      const pending = writer.audit(anEvent(1));
      await new Promise((turn) => setTimeout(turn, 20));
      expect(writer.stalled).toBe(false);
      now = 2001;
      expect(writer.stalled).toBe(true);
      resolve();
      await pending;
      expect(writer.stalled).toBe(false);
    } finally {
      OpenSegment.prototype.append = append;
    }
    await writer.close();
  });
});

describe('a writer that comes back', () => {
  const fill = async (count: number): Promise<void> => {
    const writer = await evidence.open();
    for (let n = 0; n < count; n++) await writer.audit(anEvent(n));
    await writer.close();
  };

  it.each([
    ['the beginning of a record', (path: string) => appendFileSync(path, Buffer.from([0, 0, 1, 0, 1, 0]))],
    ['zeros that a power failure left', (path: string) => appendFileSync(path, Buffer.alloc(5000))],
  ])('cuts off %s', async (_name, damage) => {
    await fill(3);
    damage(lastSegment());
    await fill(2);
    expect(evidence.alarms).toEqual([]);
    await expect(evidence.verify()).resolves.toMatchObject({ ok: true, chains: [{ records: 5 }] });
  });

  it.each([
    ['a byte changed', (path: string) => flip(path, statSync(path).size - 100), /does not match its link/],
    [
      'a signed record cut off',
      (path: string) => truncateSync(path, statSync(path).size - 10),
      /a checkpoint has signed 3/,
    ],
    ['its segments gone', (path: string) => rmSync(path), /all its segments are gone/],
    ['an unreadable header', (path: string) => flip(path, 3), /not a segment file/],
  ])('leaves a chain with %s as it is and begins another with an alarm', async (_name, damage, what) => {
    await fill(3);
    damage(lastSegment());
    await fill(2);
    expect(evidence.alarms.map((fault) => fault.code)).toEqual(['EVIDENCE_BROKEN']);
    const report = await evidence.verify();
    expect(report.ok).toBe(false);
    expect(report.chains.map((chain) => [chain.writer, chain.records])).toContainEqual(['gw-1-1+2', 3]);
    expect(report.problems.every((problem) => /^gw-1-1(\/|$)/.test(problem.file))).toBe(true);
    expect(evidence.alarms[0]?.message).toMatch(what);
    await fill(1);
    expect((await evidence.verify()).chains.map((chain) => chain.writer)).toEqual(['gw-1-1', 'gw-1-1+2']);
  });

  it.each(['quick', 'patient'])(
    'after SIGKILL has every event that was acknowledged (%s)',
    async (mode) => {
      const acknowledged = new Set<string>();
      for (let round = 0; round < 4; round++) {
        const script = join(import.meta.dirname, 'testing/appender.ts');
        const child = spawn(process.execPath, [script, evidence.dir, evidence.keys, mode], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const gone = once(child, 'exit');
        const enough = 50 + Math.floor(Math.random() * 300);
        let seen = 0;
        for await (const line of createInterface({ input: child.stdout })) {
          acknowledged.add(line.trim());
          seen += 1;
          if (seen === enough) child.kill('SIGKILL');
        }
        await gone;
        const found = new Set<string>();
        for await (const { event } of readAudit(evidence.dir)) found.add(JSON.stringify([event['run'], event['n']]));
        expect([...acknowledged].filter((line) => !found.has(line))).toEqual([]);
        await expect(evidence.verify()).resolves.toMatchObject({ problems: [] });
      }
      const writer = await evidence.open();
      await writer.close();
      expect(evidence.alarms).toEqual([]);
    },
    30_000,
  );
});

it.runIf(process.getuid?.() !== 0)('says so when its directory cannot be written', async () => {
  await (await evidence.open()).close();
  chmodSync(evidence.dir, 0o500);
  await expect(evidence.open()).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
  chmodSync(evidence.dir, 0o700);
});

it('refuses a node name that is not a file name', async () => {
  await expect(evidence.open({ node: '../gw' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x01;
  writeFileSync(path, bytes);
}
