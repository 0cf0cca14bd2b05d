import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_DEPTH } from '../core/grant.ts';
import { type Db, openDatabase } from './database.ts';
import { aChild, aRoot, aVerifier, freshId } from './testing/samples.ts';
import { type ScratchStore, scratchStore } from './testing/scratch.ts';

let scratch: ScratchStore;
/** The same database past the store, as somebody who has stolen into it. */
let raw: Db;

beforeAll(async () => {
  scratch = await scratchStore();
  raw = openDatabase({ host: `${scratch.data}/postgres/run`, user: 'sallyport', database: 'postgres' }, 4);
});
afterAll(async () => {
  await raw.destroy();
  await scratch.close();
});

describe('the grant tree', () => {
  it('gives back a chain as it was put in, verifier included', async () => {
    const { grants } = scratch.store;
    const root = aRoot();
    const child = aChild(root, { uses: 3 });
    await grants.insert(root, aVerifier('root'));
    await grants.insert(child, aVerifier('child'));
    await expect(grants.load(child.id)).resolves.toEqual({
      chain: { grants: [root, child].map((grant) => ({ ...grant, born: expect.any(Number) })) },
      revoked: undefined,
    });
    await expect(grants.verifier(child.id)).resolves.toEqual(aVerifier('child'));
    await expect(grants.load(freshId())).resolves.toBeUndefined();
    await expect(grants.verifier(freshId())).resolves.toBeUndefined();
  });

  it.each([
    ['an unknown parent', () => aChild(aRoot())],
    ['a root with a path of its own making', () => aRoot({ path: ['a', 'b'] })],
  ])('refuses %s', async (_name, make) => {
    await expect(scratch.store.grants.insert(make(), aVerifier())).rejects.toMatchObject({ code: 'GRANT_INVALID' });
  });

  it.each([
    ['outlives its parent', { expires: Date.now() + 7_200_000 }],
    ['changes the principal', { principal: { kind: 'user', id: 'x|bob', name: 'bob', groups: [] } as const }],
    ['changes the transaction', { transaction: 'another' }],
    ['claims another path', { path: ['elsewhere', 'x'] }],
  ])('refuses a child that %s', async (_name, more) => {
    const root = aRoot();
    await scratch.store.grants.insert(root, aVerifier());
    const insert = scratch.store.grants.insert(aChild(root, more), aVerifier());
    await expect(insert).rejects.toMatchObject({ code: 'GRANT_INVALID' });
  });

  it('refuses a child of an expired or a revoked parent', async () => {
    const { grants } = scratch.store;
    const past = aRoot({ expires: Date.now() - 1 });
    await grants.insert(past, aVerifier());
    await expect(grants.insert(aChild(past), aVerifier())).rejects.toMatchObject({ code: 'GRANT_INVALID' });

    const root = aRoot();
    const middle = aChild(root);
    await grants.insert(root, aVerifier());
    await grants.insert(middle, aVerifier());
    await grants.revoke({ kind: 'grant', id: root.id }, 'bob', 'test');
    await expect(grants.insert(aChild(middle), aVerifier())).rejects.toMatchObject({ code: 'GRANT_INVALID' });
  });

  it('grows no deeper than its limit', async () => {
    const { grants } = scratch.store;
    let last = aRoot();
    await grants.insert(last, aVerifier());
    for (let depth = 1; depth <= MAX_DEPTH; depth++) {
      last = aChild(last);
      await grants.insert(last, aVerifier());
    }
    await expect(grants.insert(aChild(last), aVerifier())).rejects.toMatchObject({ code: 'GRANT_INVALID' });
  });

  it('counts children one at a time: of ten at once below 250, six fit', async () => {
    const { grants } = scratch.store;
    const root = aRoot();
    await grants.insert(root, aVerifier());
    await sql`insert into grants select 'x' || n || id, id, path || array['x'], principal, strikes, created_at, expires,
      null, record, verifier, rec_hash, rec_hash from grants, generate_series(1, 250) n where id = ${root.id}`.execute(
      raw,
    );
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => grants.insert(aChild(root), aVerifier())));
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(6);
  });
});

it('lists logins without what was passed on from them, the last one first', async () => {
  const { grants } = scratch.store;
  const principal = { kind: 'user', id: `https://id.example|${freshId()}`, name: 'bob', groups: [] } as const;
  const early = aRoot({ principal, createdAt: 1 });
  const late = aRoot({ principal, createdAt: 2 });
  for (const grant of [early, late, aChild(late)]) await grants.insert(grant, aVerifier());
  const listed = await grants.list({ principal: principal.id, roots: true, limit: 2 });
  expect(listed.map(({ grant }) => grant.id)).toEqual([late.id, early.id]);
});

describe('uses', () => {
  it('are debited ten times of fifty when there are ten, on every finite grant of the path', async () => {
    const { grants } = scratch.store;
    const root = aRoot({ uses: 12 });
    const middle = aChild(root);
    const leaf = aChild(middle, { uses: 10 });
    for (const grant of [root, middle, leaf]) await grants.insert(grant, aVerifier());
    const answers = await Promise.all(Array.from({ length: 50 }, () => grants.debit(leaf.path, 1)));
    expect(answers.filter((answer) => answer === 'debited')).toHaveLength(10);
    expect(answers.filter((answer) => answer !== 'debited')[0]).toEqual({ exhausted: leaf.id });
    await expect(grants.usesLeft(leaf.id)).resolves.toBe(0);
    await expect(grants.usesLeft(middle.id)).resolves.toBeUndefined();
    await expect(grants.usesLeft(root.id)).resolves.toBe(2);
  });

  it('of siblings come out of their parent, and nothing is taken where one is short', async () => {
    const { grants } = scratch.store;
    const root = aRoot({ uses: 5 });
    const [a, b] = [aChild(root, { uses: 4 }), aChild(root, { uses: 4 })];
    for (const grant of [root, a, b]) await grants.insert(grant, aVerifier());
    await expect(grants.debit(a.path, 4)).resolves.toBe('debited');
    await expect(grants.debit(b.path, 2)).resolves.toEqual({ exhausted: root.id });
    await expect(grants.usesLeft(b.id)).resolves.toBe(4);
    await expect(grants.debit([...b.path, 'unknown'], 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(grants.debit(b.path, -1)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('revocation', () => {
  it.each([
    ['the root grant', (root: string) => ({ kind: 'grant', id: root }) as const],
    ['the login it came from', (root: string) => ({ kind: 'login', id: `corp|sid-${root}` }) as const],
    ['the agent in the middle', (root: string) => ({ kind: 'agent', id: `${root}/helper` }) as const],
  ])('of %s reaches the leaf, once', async (_name, subject) => {
    const { grants } = scratch.store;
    const root = aRoot();
    const middle = aChild(root);
    const leaf = aChild(middle);
    for (const grant of [root, middle, leaf]) await grants.insert(grant, aVerifier());
    const first = await grants.revoke(subject(root.id), 'bob', 'left the company');
    const again = await grants.revoke(subject(root.id), 'eve', 'other words');
    expect(again).toEqual(first);
    await expect(grants.load(leaf.id)).resolves.toMatchObject({ revoked: first });
    const listed = await grants.list({ under: middle.id, limit: 10 });
    expect(listed.map((one) => [one.grant.id, one.revoked?.by])).toEqual([
      [leaf.id, 'bob'],
      [middle.id, 'bob'],
    ]);
    await expect(grants.list({ under: middle.id, live: true, limit: 10 })).resolves.toEqual([]);
  });
});

describe('a row changed past the store', () => {
  it.each([
    ['a wider caveat', sql`record = replace(record, 'select', 'delete')`],
    ['a later end', sql`expires = expires + 1`],
    ['another verifier', sql`verifier = replace(verifier, '4096', '4097')`],
    ['an escape from revocations', sql`strikes = array['grant:none']`],
    ['another parent hash', sql`par_hash = rec_hash`],
    ['no parent', sql`par_hash = null`],
    ['another hash', sql`rec_hash = '\\x00'::bytea`],
    ['a shorter path', sql`path = path[2:]`],
  ])('is noticed: %s', async (_name, change) => {
    const { grants } = scratch.store;
    const root = aRoot();
    const middle = aChild(root);
    const leaf = aChild(middle);
    for (const grant of [root, middle, leaf]) await grants.insert(grant, aVerifier());
    await sql`update grants set ${change} where id = ${middle.id}`.execute(raw);
    await expect(grants.load(leaf.id)).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    await expect(grants.load(middle.id)).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    await expect(grants.verifier(middle.id)).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    await expect(grants.insert(aChild(leaf), aVerifier())).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
  });
});

it('takes a token id once', async () => {
  const { grants } = scratch.store;
  const expires = Date.now() + 1000;
  const tries = await Promise.all(Array.from({ length: 8 }, () => grants.once('https://ci', 'jti\0-1', expires)));
  expect(tries.filter(Boolean)).toHaveLength(1);
  await expect(grants.once('https://other', 'jti\0-1', expires)).resolves.toBe(true);
});
