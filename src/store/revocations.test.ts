import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FeedEntry, RevocationSubject } from '../core/feed.ts';
import type { Grant } from '../core/grant.ts';
import type { GrantStore } from '../identity/ports.ts';
import { canonical } from './canonical.ts';
import { type Db, openDatabase } from './database.ts';
import { aChild, aRoot, aVerifier, freshId } from './testing/samples.ts';
import { type ScratchStore, scratchStore, TEST_KEY } from './testing/scratch.ts';

let scratch: ScratchStore;
let grants: GrantStore;
let raw: Db;

beforeAll(async () => {
  scratch = await scratchStore();
  grants = scratch.store.grants;
  raw = openDatabase({ host: `${scratch.data}/postgres/run`, user: 'sallyport', database: 'postgres' }, 2);
});
afterAll(async () => {
  await raw.destroy();
  await scratch.close();
});

const CI = { name: 'ci', kind: 'ci', assurance: 'attested', class: 'ci', rights: 'delegated', groups: [] } as const;

/** A person nobody else is, acting through one CI job. */
function aPerson() {
  const name = freshId();
  const principal = { kind: 'user', id: `https://id.example|${name}`, name, groups: ['dba', 'support'] } as const;
  const agent = { ...CI, id: `https://ci.example|${name}` };
  const root = (): Grant => aRoot({ principal, login: { provider: 'corp', session: name } });
  return { principal, agent, root, job: (above: Grant): Grant => aChild(above, { agent }) };
}

async function insert(...all: Grant[]): Promise<void> {
  for (const grant of all) await grants.insert(grant, aVerifier());
}

const revokedBy = async (grant: Grant): Promise<string | undefined> => (await grants.load(grant.id))?.revoked?.reason;

describe('a revocation that was lifted', () => {
  it.each([
    ['principal', (who: ReturnType<typeof aPerson>) => who.principal.id],
    ['agent', (who: ReturnType<typeof aPerson>) => who.agent.id],
    ['login', (who: ReturnType<typeof aPerson>) => `corp|${who.principal.name}`],
  ] as const)('of a %s revives nothing, and lets what comes later live', async (kind, idOf) => {
    const who = aPerson();
    const subject: RevocationSubject = { kind, id: idOf(who) };
    const root = who.root();
    const job = who.job(root);
    await insert(root, job);
    await grants.revoke(subject, 'bob', 'incident');
    const during = who.root();
    await insert(during);
    if (kind !== 'agent') expect(await revokedBy(during)).toBe('incident');
    await grants.lift(subject, 'bob', 'over');

    expect(await revokedBy(job)).toBe('incident');
    await expect(grants.insert(who.job(job), aVerifier())).rejects.toMatchObject({ code: 'GRANT_INVALID' });
    const fresh = who.root();
    const freshJob = who.job(fresh);
    await insert(fresh, freshJob);
    expect(await revokedBy(freshJob)).toBeUndefined();

    const listed = await grants.list({ principal: who.principal.id, live: true, limit: 20 });
    const living = kind === 'agent' ? [freshJob, fresh, during, root] : [freshJob, fresh];
    expect(new Set(listed.map(({ grant }) => grant.id))).toEqual(new Set(living.map(({ id }) => id)));
    const all = await grants.list({ principal: who.principal.id, limit: 20 });
    expect(all.find(({ grant }) => grant.id === job.id)?.revoked).toMatchObject({ reason: 'incident' });
  });

  it('is not fooled by a clock that jumped', async () => {
    const who = aPerson();
    const subject = { kind: 'principal', id: who.principal.id } as const;
    const ahead = { ...who.root(), createdAt: Date.now() + 3_000_000 };
    await insert(ahead);
    await grants.revoke(subject, 'bob', 'incident');
    await grants.lift(subject, 'bob', 'over');
    expect(await revokedBy(ahead)).toBe('incident');
    const behind = { ...who.root(), createdAt: Date.now() - 3_000_000 };
    await insert(behind);
    expect(await revokedBy(behind)).toBeUndefined();
  });

  it('strikes again when it is revoked again, whatever was born in between', async () => {
    const who = aPerson();
    const subject = { kind: 'principal', id: who.principal.id } as const;
    await grants.revoke(subject, 'bob', 'first');
    await grants.lift(subject, 'bob', 'over');
    const between = who.root();
    await insert(between);
    await grants.revoke(subject, 'eve', 'second');
    expect(await revokedBy(between)).toBe('second');
    const [held] = await grants.revocations({ ids: [subject.id] });
    expect(held).toEqual({ subject, by: 'eve', reason: 'second', at: expect.any(Number) });
  });

  it('says who lifted it, once', async () => {
    const subject = { kind: 'target', id: 'shop' } as const;
    await grants.revoke(subject, 'bob', 'incident');
    const first = await grants.lift(subject, 'bob', 'over');
    const again = await grants.lift(subject, 'eve', 'other words');
    expect(again).toEqual(first);
    expect(first?.lifted).toMatchObject({ by: 'bob', reason: 'over' });
    expect(await grants.revocations({ kinds: ['target'], lasting: true })).toEqual([]);
    expect(await grants.revocations({ kinds: ['target'] })).toEqual([first]);
  });

  it('must have been there, and must not be of what stays ended', async () => {
    await expect(grants.lift({ kind: 'agent', id: 'nobody' }, 'bob', '')).resolves.toBeUndefined();
    for (const kind of ['grant', 'session'] as const) {
      await grants.revoke({ kind, id: 'x' }, 'bob', '');
      await expect(grants.lift({ kind, id: 'x' }, 'bob', '')).rejects.toMatchObject({ code: 'CONFLICT' });
    }
  });

  it('strikes grants of a release that kept no age, which live until then', async () => {
    const who = aPerson();
    const old = who.root();
    await insert(old);
    const row = await raw.selectFrom('grants').selectAll().where('id', '=', old.id).executeTakeFirstOrThrow();
    const { uses_left: _uses, rec_hash: _hash, born, ...fixed } = row;
    expect(born).toEqual(expect.any(Number));
    await sql`update grants set born = null where id = ${old.id}`.execute(raw);
    await expect(grants.load(old.id)).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    const hash = createHmac('sha256', TEST_KEY).update(canonical(fixed)).digest();
    await sql`update grants set rec_hash = ${hash} where id = ${old.id}`.execute(raw);
    expect(await revokedBy(old)).toBeUndefined();
    await grants.revoke({ kind: 'principal', id: who.principal.id }, 'bob', 'incident');
    await grants.lift({ kind: 'principal', id: who.principal.id }, 'bob', 'over');
    expect(await revokedBy(old)).toBe('incident');
  });
});

describe('cutting what there is', () => {
  it('ends it, and lets a new login live', async () => {
    const who = aPerson();
    const subject = { kind: 'principal', id: who.principal.id } as const;
    const root = who.root();
    await insert(root);
    await grants.cut(subject, 'carol', 'lost laptop');
    const fresh = who.root();
    await insert(fresh);
    expect(await revokedBy(root)).toBe('lost laptop');
    expect(await revokedBy(fresh)).toBeUndefined();
    await grants.cut(subject, 'carol', 'lost another');
    expect(await revokedBy(fresh)).toBe('lost another');
  });

  it('takes nothing back of a revocation that lasts', async () => {
    const who = aPerson();
    const subject = { kind: 'principal', id: who.principal.id } as const;
    const lasting = await grants.revoke(subject, 'bob', 'left');
    expect(await grants.cut(subject, who.principal.id, 'lost laptop')).toEqual(lasting);
    const later = who.root();
    await insert(later);
    expect(await revokedBy(later)).toBe('left');
  });
});

describe('a membership that was revoked', () => {
  it('ends what was logged in to with the group, and nothing without it or later', async () => {
    const who = aPerson();
    const root = who.root();
    const job = who.job(root);
    const without = aRoot({ principal: { ...who.principal, groups: ['support'] } });
    await insert(root, job, without);
    await grants.revoke({ kind: 'membership', id: who.principal.id, group: 'dba' }, 'bob', 'no longer dba');
    const later = who.root();
    await insert(later);
    expect(await Promise.all([root, job, without, later].map(revokedBy))).toEqual([
      'no longer dba',
      'no longer dba',
      undefined,
      undefined,
    ]);
    await grants.revoke({ kind: 'membership', id: who.principal.id, group: 'dba' }, 'bob', 'again');
    expect(await revokedBy(later)).toBe('again');
  });

  it('is nobody else’s, however ids and groups are spelled', async () => {
    const mine = aRoot({ principal: { kind: 'user', id: 'i|a', name: 'a', groups: ['b|c'] } });
    const other = aRoot({ principal: { kind: 'user', id: 'i|a|b', name: 'a', groups: ['c'] } });
    await insert(mine, other);
    await grants.revoke({ kind: 'membership', id: 'i|a', group: 'b|c' }, 'bob', 'out');
    expect(await Promise.all([mine, other].map(revokedBy))).toEqual(['out', undefined]);
  });
});

it('knows what any grant ever stood on', async () => {
  const who = aPerson();
  const root = who.root();
  await insert(root, who.job(root));
  const known = await Promise.all(
    [
      { kind: 'principal', id: who.principal.id } as const,
      { kind: 'agent', id: who.agent.id } as const,
      { kind: 'login', id: `corp|${who.principal.name}` } as const,
      { kind: 'membership', id: who.principal.id, group: 'dba' } as const,
      { kind: 'membership', id: who.principal.id, group: 'db' } as const,
      { kind: 'agent', id: who.principal.id } as const,
    ].map((subject) => grants.knows(subject)),
  );
  expect(known).toEqual([true, true, true, true, false, false]);
});

it('tells the feed what is struck, cut and lifted, as it is kept', async () => {
  const seen: FeedEntry[] = [];
  const stop = scratch.store.feed.subscribe((entry) => seen.push(entry));
  const subject = { kind: 'agent', id: freshId() } as const;
  await grants.revoke(subject, 'bob', 'stolen key');
  const lifted = await grants.lift(subject, 'bob', 'new key');
  const cut = await grants.cut(subject, 'bob', 'stolen again');
  const membership = await grants.revoke({ kind: 'membership', id: 'i|a', group: 'g' }, 'bob', '');
  await vi.waitFor(() => expect(seen).toHaveLength(4));
  const told = seen.map((entry) => ('revocation' in entry ? [entry.kind, entry.revocation] : []));
  expect(told).toEqual([
    ['revoked', { subject, by: 'bob', reason: 'stolen key', at: expect.any(Number) }],
    ['lifted', lifted],
    ['revoked', cut],
    ['revoked', membership],
  ]);
  expect(seen.map(({ sequence }) => sequence).slice(1)).toEqual([lifted, cut, membership].map((one) => one?.until));
  stop();
});

it('decides by the feed between a lift and logins at the same moment', async () => {
  const who = aPerson();
  const subject = { kind: 'principal', id: who.principal.id } as const;
  await grants.revoke(subject, 'bob', 'incident');
  const roots = Array.from({ length: 24 }, () => who.root());
  const [lifted] = await Promise.all([grants.lift(subject, 'bob', 'over'), ...roots.map((root) => insert(root))]);
  const stored = await Promise.all(roots.map((root) => grants.load(root.id)));
  const alive = stored.filter((one) => one?.revoked === undefined);
  const younger = stored.filter((one) => (one?.chain.grants[0].born ?? -1) >= (lifted?.until ?? 0));
  expect(alive).toEqual(younger);
});
