import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunksOf } from '../audit/chunks.ts';
import { scratchEvidence } from '../audit/testing/scratch.ts';
import type { RecordingEntry, RecordingKind } from '../core/evidence.ts';
import { envelope } from '../secrets/envelope.ts';
import { rootKey } from '../secrets/root-key.ts';
import { decodeEntries, PlainEntries } from './entries.ts';
import { type RecordingKey, recordingKeys } from './keys.ts';
import { readSession } from './replay.ts';

const wrap = envelope(rootKey(new Uint8Array(32).fill(1)));
const DAY = 24 * 3_600_000;
let dir: string;
let now: number;
const clock = { now: () => now, monotonic: () => performance.now() };
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-recording-'));
  now = Date.UTC(2026, 0, 1);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const kinds: readonly RecordingKind[] = ['open', 'asked', 'refused', 'frames', 'done', 'close'];
const entry = (session: string, sequence: number, text: string): RecordingEntry => ({
  session,
  target: 'shop',
  kind: 'asked',
  sequence,
  at: now,
  body: Buffer.from(text),
});

function sealed(key: RecordingKey, text: string, context: Uint8Array): Buffer {
  const draft = key.begin();
  draft.add(entry('a', 1, text), 0);
  return Buffer.concat(draft.seal(context));
}

describe('entries', () => {
  it('come back as they were put in', () => {
    const arbitrary = fc.record({
      session: fc.constantFrom('a', 'b', 'c'),
      target: fc.constant('shop'),
      kind: fc.constantFrom(...kinds),
      sequence: fc.nat(0xffff_ffff),
      at: fc.nat(Number.MAX_SAFE_INTEGER),
      body: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(arbitrary), (entries) => {
        const sessions = [...new Set(entries.map((one) => one.session))];
        const plain = new PlainEntries();
        for (const one of entries) plain.add(one, sessions.indexOf(one.session));
        const bytes = plain.take((taken) => new Uint8Array(taken));
        expect([...decodeEntries(bytes, { target: 'shop', sessions })]).toEqual(entries);
      }),
    );
  });

  it('are copied when they are added: the memory they came in is read into again', () => {
    const body = Buffer.from('masked');
    const plain = new PlainEntries();
    plain.add({ ...entry('a', 1, ''), kind: 'frames', body }, 0);
    body.fill('unmasked');
    const bytes = plain.take((taken) => new Uint8Array(taken));
    const [found] = decodeEntries(bytes, { target: 'shop', sessions: ['a'] });
    expect(Buffer.from(found?.body ?? []).toString()).toBe('masked');
  });

  it('are text or bytes', () => {
    const texts = ['', 'a', 'é\u{1f600}', 'x'.repeat(40_000)];
    const plain = new PlainEntries();
    for (const body of texts) plain.add({ ...entry('a', 1, ''), body }, 0);
    const bytes = plain.take((taken) => new Uint8Array(taken));
    const found = [...decodeEntries(bytes, { target: 'shop', sessions: ['a'] })];
    expect(found.map((one) => Buffer.from(one.body).toString())).toEqual(texts);
  });

  it('are a Fault when they are not entries, and never more than there are bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const entries = [...decodeEntries(bytes, { target: 'shop', sessions: ['a'] })];
          expect(entries.reduce((sum, one) => sum + one.body.length + 19, 0)).toBe(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'EVIDENCE_BROKEN' });
        }
      }),
    );
  });
});

describe('the keys of recordings', () => {
  it('are one per target and month, kept sealed, found again', () => {
    const keys = recordingKeys(dir, wrap, clock);
    const shop = keys.key('shop');
    expect(keys.key('shop')).toBe(shop);
    expect(keys.key('crm').id).not.toBe(shop.id);
    expect(recordingKeys(dir, wrap, clock).key('shop').id).toBe(shop.id);
    now += 31 * DAY;
    expect(keys.key('shop').id).not.toBe(shop.id);
    expect(
      keys
        .list()
        .map((key) => key.target)
        .sort(),
    ).toEqual(['crm', 'shop', 'shop']);
  });

  it('open what they sealed in its context only', () => {
    const keys = recordingKeys(dir, wrap, clock);
    const context = Buffer.from('gw-1-0 head');
    const { id, seal } = {
      id: keys.key('shop').id,
      seal: (text: string) => sealed(keys.key('shop'), text, context),
    };
    const body = seal('select 1');
    const again = recordingKeys(dir, wrap, clock);
    expect(Buffer.from(again.open(id, 'shop', body, context)).toString()).toContain('select 1');
    expect(Buffer.from(body).toString('latin1')).not.toContain('select 1');
    const broken = expect.objectContaining({ code: 'EVIDENCE_BROKEN' });
    expect(() => again.open(id, 'shop', body, Buffer.from('gw-2-0 head'))).toThrow(broken);
    expect(() => again.open(id, 'shop', body.slice(0, -1), context)).toThrow(broken);
    expect(() => again.open(id, 'shop', body.slice(0, 5), context)).toThrow(broken);
    expect(() => recordingKeys(dir, wrap, clock).open(id, 'crm', body, context)).toThrow(broken);
  });

  it('are gone once shredded, in every process, and nothing but an id reaches the file system', () => {
    const [keys, other] = [recordingKeys(dir, wrap, clock), recordingKeys(dir, wrap, clock)];
    const old = keys.key('shop');
    const body = sealed(old, 'x', Buffer.from('c'));
    other.open(old.id, 'shop', body, Buffer.from('c'));
    now += 40 * DAY;
    const young = keys.key('shop');
    expect(keys.shred('shop', now - DAY)).toEqual([old.id]);
    for (const one of [keys, other]) {
      expect(() => one.open(old.id, 'shop', body, Buffer.from('c'))).toThrow(
        expect.objectContaining({ code: 'SECRET_UNAVAILABLE' }),
      );
    }
    expect(keys.key('shop').id).toBe(young.id);
    expect(() => keys.open('../../etc/passwd', 'shop', body, Buffer.from('c'))).toThrow(
      expect.objectContaining({ code: 'SECRET_UNAVAILABLE' }),
    );
  });

  it('are not taken from a file of another target, nor opened by another root key', () => {
    const keys = recordingKeys(dir, wrap, clock);
    const { id } = keys.key('shop');
    const path = join(dir, `${id}.json`);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"shop"', '"crm"'));
    expect(() => recordingKeys(dir, wrap, clock).key('crm')).toThrow(
      expect.objectContaining({ code: 'SECRET_UNAVAILABLE' }),
    );
    const stranger = envelope(rootKey(new Uint8Array(32).fill(2)));
    expect(() => recordingKeys(dir, stranger, clock).key('crm')).toThrow(/another root key/);
  });
});

describe('a session', () => {
  it('is read back in order, from the evidence of a writer, and by nobody without the keys', async () => {
    const evidence = scratchEvidence();
    const keys = recordingKeys(join(dir, 'keys'), wrap, clock);
    const writer = await evidence.open({ sealer: keys, clock, segmentBytes: 3000 });
    for (let n = 1; n <= 60; n++) {
      void writer.record(entry(`s${n % 3}`, n, `statement ${n}`));
      if (n % 4 === 0) await writer.record({ ...entry(`s${n % 3}`, n, 'rows'), kind: 'frames' });
    }
    const source = { chunks: (session: string) => chunksOf(evidence.dir, session) };
    const read = async (session: string, from = keys): Promise<string[]> => {
      const found: string[] = [];
      for await (const one of readSession(source, session, from)) {
        expect(one).toMatchObject({ session, target: 'shop', at: now });
        found.push(`${one.kind} ${one.sequence} ${Buffer.from(one.body).toString()}`);
      }
      return found;
    };
    const found = await read('s1');
    expect(found).toHaveLength(25);
    expect(found.slice(0, 3)).toEqual(['asked 1 statement 1', 'asked 4 statement 4', 'frames 4 rows']);
    await expect(read('s9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await writer.close();
    await expect(evidence.verify()).resolves.toMatchObject({ ok: true });
    for (const name of readdirSync(evidence.dir, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.seg')) expect(readFileSync(join(evidence.dir, name)).includes('statement')).toBe(false);
    }
    keys.shred('shop', now + 1);
    await expect(read('s1')).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    await expect(evidence.verify()).resolves.toMatchObject({ ok: true });
    evidence.remove();
  });
});
