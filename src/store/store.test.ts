import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionRow } from '../core/directory.ts';
import { openDatabase } from './database.ts';
import { openStore } from './store.ts';
import { aRoot, aVerifier } from './testing/samples.ts';
import { realClock, type ScratchStore, scratchStore, TEST_KEY } from './testing/scratch.ts';

let scratch: ScratchStore;
beforeAll(async () => {
  scratch = await scratchStore();
});
afterAll(() => scratch.close());

const session = (id: string, more: Partial<SessionRow> = {}): SessionRow => ({
  id,
  node: 'gw-1',
  worker: 1,
  target: 'shop',
  database: 'shop',
  role: 'shop_app',
  grant: 'g1',
  chainIds: ['g0', 'g1', 'https://id|alice'],
  chain: 'alice > ci (attested)',
  detail: { purpose: ['JIRA-1234'] },
  startedAt: Date.now(),
  client: 'ps\0ql',
  address: '127.0.0.1',
  ...more,
});

describe('the session directory', () => {
  it('lists newest first, by target, by anybody in the chain, live only', async () => {
    const { sessions } = scratch.store;
    await sessions.opened(session('a', { startedAt: 1 }));
    await sessions.opened(session('b', { startedAt: 2, target: 'crm', worker: 2 }));
    await sessions.opened(session('c', { startedAt: 3, chainIds: ['other'] }));
    await sessions.ended('c', 9, 'client left', { operations: 4, denied: 1, rows: 7 });
    await sessions.ended('c', 10, 'again', { operations: 0, denied: 0, rows: 0 });
    const ids = async (filter: object) => (await sessions.list({ limit: 10, ...filter })).map((row) => row.id);
    await expect(ids({})).resolves.toEqual(['c', 'b', 'a']);
    await expect(ids({ live: true })).resolves.toEqual(['b', 'a']);
    await expect(ids({ target: 'crm' })).resolves.toEqual(['b']);
    await expect(ids({ chainId: 'https://id|alice' })).resolves.toEqual(['b', 'a']);
    await expect(ids({ limit: 1 })).resolves.toEqual(['c']);
    await expect(sessions.find('c')).resolves.toEqual({
      ...session('c', { startedAt: 3, chainIds: ['other'], client: 'ps\uFFFDql' }),
      endedAt: 9,
      cause: 'client left',
      totals: { operations: 4, denied: 1, rows: 7 },
    });
    await expect(sessions.find('nobody')).resolves.toBeUndefined();
    await expect(sessions.abandon('gw-1', 2)).resolves.toBe(1);
    await expect(sessions.find('b')).resolves.toMatchObject({ cause: 'lost', totals: undefined });
    await expect(sessions.find('a')).resolves.toMatchObject({ endedAt: undefined });
  });
});

describe('the node registry', () => {
  it('gives a place to one process at a time', async () => {
    const { nodes } = scratch.store;
    const who = { node: 'gw-1', worker: 1, version: '0.1.0', pid: 1, exclusive: false };
    const first = await nodes.register(who);
    await expect(nodes.register(who)).rejects.toMatchObject({ code: 'CONFLICT' });
    await first.beat();
    await expect(nodes.list()).resolves.toMatchObject([{ node: 'gw-1', worker: 1, live: true }]);
    await first.leave();
    await expect(nodes.list()).resolves.toMatchObject([{ live: false }]);
    const second = await nodes.register({ ...who, pid: 2 });
    await expect(first.beat()).rejects.toMatchObject({ code: 'CONFLICT' });
    await nodes.register({ ...who, pid: 3, exclusive: true });
    await expect(second.beat()).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

it('tells workers of the connections of those that live', async () => {
  const { nodes, backends } = scratch.store;
  const [one, two] = [backends('gw-8', 1), backends('gw-9', 1)];
  const who = { worker: 1, version: '0', pid: 1, exclusive: true };
  const first = await nodes.register({ ...who, node: 'gw-8' });
  await nodes.register({ ...who, node: 'gw-9' });
  await one.tell([['7 app', 0]]);
  await one.tell([
    ['7 app', 5],
    ['8 app', 0],
  ]);
  await expect(two.others()).resolves.toMatchObject({
    backends: [
      ['7 app', 5],
      ['8 app', 0],
    ],
  });
  expect((await one.others()).backends).toEqual([]);
  const { workers } = await two.others();
  await first.leave();
  // What it held is let go at its end: statements may run on.
  const after = await two.others();
  expect(after.workers).toBe(workers - 1);
  expect(after.backends).toEqual([
    ['7 app', 5],
    ['8 app', expect.toSatisfy((at: number) => Math.abs(at - Date.now()) < 10_000)],
  ]);
  expect(await one.left()).toEqual(after.backends.map(([key], n) => [key, n === 0 ? 5 : expect.any(Number)]));
  expect(await two.left()).toEqual([]);
});

describe('versions and sealed secrets', () => {
  it('keep a text when it differs from the last of its kind', async () => {
    const { versions } = scratch.store;
    const first = await versions.save('config', 'a: 1', 'alice');
    await expect(versions.save('config', 'a: 1', 'bob')).resolves.toEqual({ ...first, changed: false });
    const parallel = await Promise.all(['x', 'y'].map(() => versions.save('policy', 'permit;', 'bob')));
    expect(parallel.filter((one) => one.changed)).toHaveLength(1);
    await versions.save('config', 'a: 2', 'bob');
    await expect(versions.latest('config')).resolves.toMatchObject({ text: 'a: 2', by: 'bob' });
    await expect(versions.get(first.version)).resolves.toMatchObject({ text: 'a: 1', by: 'alice' });
    expect((await versions.list('config', 10)).map((one) => one.by)).toEqual(['bob', 'alice']);
  });

  it('hold ciphertext under a name', async () => {
    const { sealed } = scratch.store;
    await sealed.put('shop', new Uint8Array([1, 2, 3]), { keyId: 'k1', by: 'alice' });
    await sealed.put('shop', new Uint8Array([4]), { keyId: 'k2', by: 'bob' });
    await expect(sealed.get('shop')).resolves.toEqual(new Uint8Array([4]));
    await expect(sealed.list()).resolves.toMatchObject([{ name: 'shop', keyId: 'k2', by: 'bob' }]);
    await expect(sealed.remove('shop')).resolves.toBe(true);
    await expect(sealed.remove('shop')).resolves.toBe(false);
    await expect(sealed.get('shop')).resolves.toBeUndefined();
  });

  it('changes a secret only from what it was, and for one of two', async () => {
    const { sealed } = scratch.store;
    const about = { keyId: 'k1', by: 'alice' };
    const [one, two, three] = [[1], [2], [3]].map((bytes) => new Uint8Array(bytes));
    const both = [sealed.swap('role', undefined, one, about), sealed.swap('role', undefined, one, about)];
    expect((await Promise.all(both)).filter(Boolean)).toEqual([true]);
    await expect(sealed.swap('role', two, three, about)).resolves.toBe(false);
    await expect(sealed.swap('role', two, undefined, about)).resolves.toBe(false);
    await expect(sealed.get('role')).resolves.toEqual(one);
    const race = [sealed.swap('role', one, two, about), sealed.swap('role', one, three, about)];
    expect((await Promise.all(race)).filter(Boolean)).toEqual([true]);
    const now = await sealed.get('role');
    await expect(sealed.swap('role', now, undefined, about)).resolves.toBe(true);
    await expect(sealed.swap('role', now, one, about)).resolves.toBe(false);
    await expect(sealed.get('role')).resolves.toBeUndefined();
  });
});

describe('a store that is not there', () => {
  it('is a Fault at every use, and grants are there again after it', async () => {
    const own = await scratchStore();
    const grant = aRoot();
    await own.store.grants.insert(grant, aVerifier());
    await own.store.close();
    for (const use of [
      () => own.store.grants.load(grant.id),
      () => own.store.grants.insert(aRoot(), aVerifier()),
      () => own.store.grants.debit([grant.id], 1),
      () => own.store.sessions.list({ limit: 1 }),
      () => own.store.now(),
    ]) {
      await expect(use()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    const again = await openStore({ at: { embedded: own.data }, integrityKey: TEST_KEY, clock: realClock });
    await expect(again.grants.load(grant.id)).resolves.toMatchObject({ chain: { grants: [grant] } });
    await again.close();
    const stranger = await openStore({
      at: { embedded: own.data },
      integrityKey: new Uint8Array(32),
      clock: realClock,
    });
    await expect(stranger.grants.load(grant.id)).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    await stranger.close();
    await own.close();
  });

  it('is a Fault when nothing listens at its url', async () => {
    const open = openStore({ at: { url: 'postgres://x@127.0.0.1:9/x' }, integrityKey: TEST_KEY, clock: realClock });
    await expect(open).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('is given a migration that it missed, whatever came after that', async () => {
    const at = { host: `${scratch.data}/postgres/run`, user: 'sallyport', database: 'postgres' };
    const raw = openDatabase(at, 1);
    await sql`drop table spending`.execute(raw);
    await raw.deleteFrom('schema_version').where('name', '=', 'spending').execute();
    const url = `postgres://sallyport@/postgres?host=${encodeURIComponent(at.host)}`;
    await (await openStore({ at: { url }, integrityKey: TEST_KEY, clock: realClock })).close();
    expect(await raw.selectFrom('spending').selectAll().execute()).toEqual([]);
    await raw.destroy();
  });

  it('is refused when a newer release has migrated it', async () => {
    const at = { host: `${scratch.data}/postgres/run`, user: 'sallyport', database: 'postgres' };
    const raw = openDatabase(at, 1);
    await raw.insertInto('schema_version').values({ version: 999, name: 'future' }).execute();
    const url = `postgres://sallyport@/postgres?host=${encodeURIComponent(at.host)}`;
    const open = openStore({ at: { url }, integrityKey: TEST_KEY, clock: realClock });
    await expect(open).rejects.toMatchObject({ code: 'CONFLICT' });
    await raw.deleteFrom('schema_version').where('version', '=', 999).execute();
    await raw.destroy();
  });
});
