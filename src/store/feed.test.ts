import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FeedEntry } from '../core/feed.ts';
import { type DatabaseAddress, type Db, openDatabase } from './database.ts';
import { feedWriter, StoreFeed } from './feed.ts';
import { grantStore } from './grants.ts';
import { realClock, type ScratchStore, scratchStore, TEST_KEY } from './testing/scratch.ts';

let scratch: ScratchStore;
let address: DatabaseAddress;
let other: Db;

beforeAll(async () => {
  scratch = await scratchStore();
  address = { host: `${scratch.data}/postgres/run`, user: 'sallyport', database: 'postgres' };
  other = openDatabase(address, 4);
});
afterAll(async () => {
  await other.destroy();
  await scratch.close();
});

describe('the feed', () => {
  it('tells every entry of twenty writers on two pools once, in order and without gaps', async () => {
    const seen: [FeedEntry[], FeedEntry[]] = [[], []];
    const second = await StoreFeed.open(address, realClock);
    scratch.store.feed.subscribe((entry) => seen[0].push(entry));
    second.subscribe((entry) => seen[1].push(entry));
    const writers = [scratch.store.announce, feedWriter(other)];
    const grants = [scratch.store.grants, grantStore(other, TEST_KEY)];
    await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let n = 0; n < 10; n++) {
          if (n % 2) await writers[writer % 2]?.catalogChanged('shop', `${writer}-${n}`);
          else await grants[writer % 2]?.revoke({ kind: 'session', id: `${writer}-${n}` }, 'test', 'test');
        }
      }),
    );
    await vi.waitFor(() => expect(seen.map((list) => list.length)).toEqual([200, 200]), 5000);
    const first = seen[0][0]?.sequence ?? 0;
    expect(seen[0].map((entry) => entry.sequence)).toEqual(Array.from({ length: 200 }, (_, n) => first + n));
    expect(seen[1]).toEqual(seen[0]);
    await second.close();
  });

  it('tells nobody of what was rolled back, and leaves no gap for it', async () => {
    const seen: FeedEntry[] = [];
    const stop = scratch.store.feed.subscribe((entry) => seen.push(entry));
    await other
      .transaction()
      .execute(async (tx) => {
        await sql`select feed_append('catalog', '{}')`.execute(tx);
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    await scratch.store.versions.save('policy', 'permit;', 'bob');
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toMatchObject({ kind: 'config', version: 1 });
    stop();
  });

  it('is prompt, stays young, and finds its connection again', async () => {
    const seen: FeedEntry[] = [];
    const stop = scratch.store.feed.subscribe((entry) => seen.push(entry));
    const began = performance.now();
    await scratch.store.announce.catalogChanged('shop', 'prompt');
    await vi.waitFor(() => expect(seen).toHaveLength(1), { interval: 5 });
    expect(performance.now() - began).toBeLessThan(300);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where query like '%feed_head%' and pid <> pg_backend_pid()`.execute(
      other,
    );
    await scratch.store.announce.catalogChanged('shop', 'after');
    await vi.waitFor(() => expect(seen).toHaveLength(2), 3000);
    await sleep(600);
    expect(scratch.store.feed.age()).toBeLessThan(1000);
    stop();
  });

  it.each([
    ['an entry taken away', sql`delete from feed where sequence = (select sequence from feed_head)`],
    ['a head put back', sql`update feed_head set sequence = sequence - 1`],
    [
      'an entry of an unknown kind',
      sql`update feed set kind = 'pardoned' where sequence = (select sequence from feed_head)`,
    ],
  ])('grows old over %s', async (_name, change) => {
    const troubles: string[] = [];
    const feed = await StoreFeed.open(address, realClock, (fault) => troubles.push(fault.code));
    const seen: FeedEntry[] = [];
    feed.subscribe((entry) => seen.push(entry));
    await other.transaction().execute(async (tx) => {
      if (!change.compile(tx).sql.startsWith('update feed_head'))
        await sql`select feed_append('catalog', '{}')`.execute(tx);
      await change.execute(tx);
    });
    await sleep(1200);
    expect(seen).toEqual([]);
    expect(feed.age()).toBeGreaterThan(1000);
    expect(troubles).toEqual(['EVIDENCE_BROKEN']);
    await feed.close();
    await sql`update feed_head set sequence = (select max(sequence) + 1 from feed)`.execute(other);
    await sql`insert into feed select sequence, 'catalog', '{}', 0 from feed_head on conflict do nothing`.execute(
      other,
    );
  });
});
