import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeHeader, decodeRecord } from './format.ts';
import { checkpointPath, segmentsOf } from './layout.ts';
import { loadSigner } from './signing.ts';
import { anEntry, anEvent, type ScratchEvidence, scratchEvidence } from './testing/scratch.ts';
import { recordsIn } from './walk.ts';

let evidence: ScratchEvidence;
let pristine: Map<string, Buffer>;

/** Two writers, some segments each, everything signed. */
beforeAll(async () => {
  evidence = scratchEvidence();
  for (const worker of [1, 2]) {
    const writer = await evidence.open({ worker, segmentBytes: 1700 });
    for (let n = 0; n < 28; n++) await Promise.all([writer.audit(anEvent(n)), writer.record(anEntry(n, `s${n % 2}`))]);
    await writer.close();
  }
  // An empty segment binds nothing yet.
  expect(records(segment(-1))).not.toEqual([]);
  const files = readdirSync(evidence.dir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(seg|jsonl)$/.test(name),
  );
  pristine = new Map(files.map((name) => [join(evidence.dir, name), readFileSync(join(evidence.dir, name))]));
});
afterAll(() => evidence.remove());
beforeEach(restore);

function restore(): void {
  for (const name of readdirSync(evidence.dir, { recursive: true, encoding: 'utf8' })) {
    if (/\.(seg|jsonl)$/.test(name) && !pristine.has(join(evidence.dir, name))) rmSync(join(evidence.dir, name));
  }
  for (const [path, bytes] of pristine) writeFileSync(path, bytes);
}

const segment = (n: number, writer = 'gw-1-1'): string => segmentsOf(evidence.dir, writer).at(n)?.path ?? '';
const records = (path: string) => {
  const bytes = readFileSync(path);
  return [...recordsIn(bytes, decodeHeader(bytes).end)];
};

describe('verification', () => {
  it('finds nothing wrong where nothing is, and says how far it is signed', async () => {
    const report = await evidence.verify();
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(report.chains).toMatchObject([
      { writer: 'gw-1-1', records: 56, signed: 56, unfinished: 0 },
      { writer: 'gw-1-2', records: 56, signed: 56, unfinished: 0 },
    ]);
  });

  it('finds any byte of any segment changed, and any bit of a checkpoint', async () => {
    const files = [...pristine];
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (file, at, mask) => {
        const [path, bytes] = files[file % files.length]!;
        const changed = Buffer.from(bytes);
        const offset = at % changed.length;
        changed[offset] = changed[offset]! ^ mask;
        writeFileSync(path, changed);
        const report = await evidence.verify();
        writeFileSync(path, bytes);
        expect(report.ok).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('names the file, the place and the last record before the first broken link', async () => {
    const path = segment(1);
    const [first, second] = records(path);
    const bytes = readFileSync(path);
    bytes[second!.offset + 30] = bytes[second!.offset + 30]! ^ 1;
    writeFileSync(path, bytes);
    const report = await evidence.verify();
    expect(report.problems).toEqual([
      {
        file: `gw-1-1/${path.split('/').at(-1)}`,
        at: second!.offset,
        after: first!.sequence,
        what: 'a record does not match its link',
      },
    ]);
    expect(report.chains[0]).toMatchObject({ records: first!.sequence });
  });

  it.each<[string, () => void, RegExp]>([
    ['a record taken out', () => splice(segment(1), ([a, , ...rest]) => [a!, ...rest]), /does not match its link/],
    [
      'two records exchanged',
      () => splice(segment(1), ([a, b, ...rest]) => [b!, a!, ...rest]),
      /does not match its link/,
    ],
    ['a record doubled', () => splice(segment(1), ([a, ...rest]) => [a!, a!, ...rest]), /does not match its link/],
    [
      'the last record cut off',
      () => splice(segment(-1), (all) => all.slice(0, -1)),
      /ends at record 55; .* signed 56/,
    ],
    [
      'half of the last record cut off',
      () => truncateSync(segment(-1), readFileSync(segment(-1)).length - 9),
      /signed 56/,
    ],
    ['a segment in the middle cut off', () => splice(segment(1), (all) => all.slice(0, -1)), /it starts at/],
    [
      'a segment in the middle cut off within a record',
      () => truncateSync(segment(1), readFileSync(segment(1)).length - 9),
      /cut off in the middle/,
    ],
    ['a segment taken away', () => rmSync(segment(1)), /it starts at/],
    ['the first segment taken away', () => rmSync(segment(0)), /it starts at/],
    ['all segments taken away', () => removeSegments(), /signed 56/],
    ['two segments exchanged', () => exchange(segment(1), segment(2)), /it starts at/],
    ['the segment of another writer', () => copyFileSync(segment(1, 'gw-1-2'), segment(1)), /belongs to gw-1-2/],
    [
      'a segment under a false name',
      () =>
        renameSync(
          segment(-1),
          segment(-1)
            .replace('0000.', '9000.')
            .replace(/\d{4}\.seg/, '7777.seg'),
        ),
      /its name/,
    ],
    ['an event dropped like a recording', dropEvent, /impossible flags/],
    ['a checkpoint taken out', () => editLines((lines) => lines.slice(1)), /does not follow the line before/],
    [
      'a checkpoint of another writer',
      () => copyFileSync(checkpointPath(evidence.dir, 'gw-1-2'), checkpointPath(evidence.dir, 'gw-1-1')),
      /belongs to gw-1-2/,
    ],
    ['a checkpoint that is not JSON', () => editLines((lines) => ['nonsense', ...lines]), /cannot be read/],
  ])('finds %s', async (_name, damage, what) => {
    damage();
    const report = await evidence.verify();
    expect(report.ok).toBe(false);
    expect(report.problems.map((problem) => problem.what).join('\n')).toMatch(what);
  });

  it('knows of a chain that is gone altogether by the checkpoints of others', async () => {
    rmSync(checkpointPath(evidence.dir, 'gw-1-1'));
    removeSegments();
    const report = await evidence.verify();
    expect(report.problems).toMatchObject([
      { after: 0, what: expect.stringMatching(/ends at record 0; .* signed 56/) },
    ]);
  });

  it('does not take the word of another key', async () => {
    const stranger = scratchEvidence();
    loadSigner(stranger.keys);
    const pem = readFileSync(join(stranger.keys, 'evidence.pub'), 'utf8');
    const { verifyEvidence } = await import('./verify.ts');
    const report = await verifyEvidence(evidence.dir, { publicKey: pem });
    expect(report.problems[0]?.what).toMatch(/unknown key/);
    stranger.remove();
    await expect(verifyEvidence(evidence.dir, { publicKey: 'no key' })).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
    });
  });

  it('accepts a recording whose body was dropped, and its digest only', async () => {
    const path = segment(0);
    const bytes = readFileSync(path);
    const chunk = records(path).find((record) => record.kind === 2)!;
    const { sha256 } = await import('./format.ts');
    const drop = (digest: Buffer): Buffer => {
      const fixed = Buffer.from(bytes.subarray(chunk.offset, chunk.offset + 8));
      fixed.writeUInt32BE(4 + chunk.head.length + 32 + 32, 0);
      fixed[5] = 1;
      const record = [fixed, chunk.head, digest, chunk.link];
      return Buffer.concat([bytes.subarray(0, chunk.offset), ...record, bytes.subarray(chunk.end)]);
    };
    writeFileSync(path, drop(sha256(chunk.body)));
    await expect(evidence.verify()).resolves.toMatchObject({ ok: true });
    writeFileSync(path, drop(Buffer.alloc(32)));
    await expect(evidence.verify()).resolves.toMatchObject({ ok: false });
  });
});

it('reads any bytes as a record, as nothing, or as a Fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, offset) => {
      for (const decode of [() => decodeRecord(Buffer.from(bytes), offset), () => decodeHeader(Buffer.from(bytes))]) {
        try {
          decode();
        } catch (error) {
          expect(error).toMatchObject({ code: 'EVIDENCE_BROKEN' });
        }
      }
    }),
  );
});

function splice(path: string, change: (all: Buffer[]) => Buffer[]): void {
  const bytes = readFileSync(path);
  const all = records(path);
  const parts = all.map((record) => bytes.subarray(record.offset, record.end));
  writeFileSync(path, Buffer.concat([bytes.subarray(0, all[0]!.offset), ...change(parts)]));
}

function removeSegments(): void {
  for (const one of segmentsOf(evidence.dir, 'gw-1-1')) rmSync(one.path);
}

function exchange(a: string, b: string): void {
  renameSync(a, `${a}.x`);
  renameSync(b, a);
  renameSync(`${a}.x`, b);
}

function dropEvent(): void {
  const path = segment(0);
  const bytes = readFileSync(path);
  const event = records(path).find((record) => record.kind === 1)!;
  bytes[event.offset + 5] = 1;
  writeFileSync(path, bytes);
}

function editLines(change: (lines: string[]) => string[]): void {
  const path = checkpointPath(evidence.dir, 'gw-1-1');
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  writeFileSync(path, `${change(lines).join('\n')}\n`);
}
