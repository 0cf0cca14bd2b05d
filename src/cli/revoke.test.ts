import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Control, startControl } from '../control/server.ts';
import { localSocketPath } from '../control/socket-path.ts';
import { testCertificate } from '../control/testing/certificate.ts';
import { CI, childOf, FakeControl, grantOf, idOf, NOW, person } from '../control/testing/fakes.ts';
import type { ListedSession } from '../core/directory.ts';
import { sallyport } from './testing/run.ts';

// `revoke` and `revocations` against the real control plane, as its owner and as somebody with a pass.

const PASS = `slp_${'a'.repeat(22)}_${'b'.repeat(38)}`;
const fake = new FakeControl();
const alice = grantOf('alice', { principal: person('alice', ['dba']) });
const job = childOf(alice, 'job', CI);
const ALICE = alice.principal.id;

let owner: string;
let control: Control;
let elsewhere: Record<string, string>;

beforeAll(async () => {
  owner = mkdtempSync(join(tmpdir(), 'sallyport-owner-'));
  mkdirSync(join(owner, 'var'), { mode: 0o700 });
  const pem = testCertificate();
  control = await startControl({
    ports: fake.ports(),
    https: { host: '127.0.0.1', port: 0 },
    ...pem,
    socket: localSocketPath(join(owner, 'var')),
    onFault: () => undefined,
  });
  const url = `https://localhost:${control.https.port}`;
  writeFileSync(join(owner, 'sallyport.yaml'), `version: 1\nurl: ${url}\n`);
  writeFileSync(join(owner, 'ca.pem'), pem.certificate);
  elsewhere = { SALLYPORT_URL: url, SALLYPORT_CA: join(owner, 'ca.pem'), SALLYPORT_PASS: PASS };
});
afterAll(async () => {
  await control.close();
  rmSync(owner, { recursive: true, force: true });
});
beforeEach(() => {
  fake.chains.clear();
  fake.revoked.clear();
  fake.add(PASS, alice);
  fake.add('job', alice, job);
  fake.sessions = [live('s1')];
});

function live(word: string): ListedSession {
  const place = { node: 'gw-1', worker: 0, target: 'shop', database: 'shop', role: 'app', client: 'psql', address: '' };
  const open = { detail: null, startedAt: NOW, endedAt: undefined, cause: undefined, totals: undefined };
  return {
    id: idOf(word),
    grant: job.id,
    chainIds: [alice.id, job.id, ALICE, CI.id],
    chain: 'alice',
    ...place,
    ...open,
  };
}

const local = (...args: string[]) => sallyport(args, { cwd: owner });
const remote = (...args: string[]) => sallyport(args, { cwd: tmpdir(), env: elsewhere });

describe('revoke', () => {
  it.each([
    ['a user by name', ['user', 'alice'], ALICE],
    ['a user by name, however written', ['user', 'ALICE'], ALICE],
    ['a user by id', ['user', ALICE], ALICE],
    ['a principal, which is the same', ['principal', 'alice'], ALICE],
    ['an agent by name', ['agent', 'deploy'], CI.id],
    ['a target', ['target', 'shop'], 'shop'],
    ['a login', ['login', 'corp|sid', '--unseen'], 'corp|sid'],
  ])('ends %s, says how many sessions end, and how to lift it', async (_name, args, id) => {
    const { code, err } = await local('revoke', ...args, '--reason', 'left');
    expect(err).toContain('One live session ends with it.');
    expect(err).toContain('sallyport revocations lift');
    expect(code).toBe(0);
    expect(fake.revoked.get(id)).toMatchObject({ by: 'local socket', reason: 'left' });
    expect(fake.revoked.get(id)?.until).toBeUndefined();
  });

  it('ends a grant or a session, which nothing lifts', async () => {
    const { err } = await local('revoke', 'grant', `g.${job.id}`);
    expect(err).toBe(`Revoked: grant ${job.id}. One live session ends with it.\n`);
    expect((await local('revoke', 'session', idOf('s1'))).err).toContain(`Revoked: session ${idOf('s1')}`);
  });

  it('ends a membership, and what there is now, without keeping anybody out', async () => {
    const membership = await local('revoke', 'membership', 'alice', 'dba', '--unseen');
    expect(membership.err).toContain(`Revoked: alice as one of dba (${ALICE}).`);
    expect(fake.revoked.get(ALICE)?.subject).toEqual({ kind: 'membership', id: ALICE, group: 'dba' });
    const { err } = await local('revoke', 'user', 'alice', '--now-only');
    expect(err).toContain('Whoever logs in anew is welcome.');
    expect(fake.revoked.get(ALICE)?.until).toBeDefined();
  });

  it('prints what was made as JSON', async () => {
    const { out } = await local('revoke', 'user', 'alice', '--json');
    expect(JSON.parse(out)).toMatchObject({ kind: 'principal', id: ALICE, lasting: true, sessions: 1 });
  });

  it('lists whom an ambiguous name may mean, and revokes none of them', async () => {
    fake.add('x', grantOf('other', { principal: { ...person('alice'), id: 'https://other.example|alice' } }));
    const { code, err } = await local('revoke', 'user', 'alice');
    expect(code).toBe(2);
    expect(err).toContain(`several go by alice:\n  ${ALICE}\n  https://other.example|alice`);
    expect(fake.revoked.size).toBe(0);
  });

  it.each([
    ['a name nobody has', ['user', 'nobody'], 1, 'no person or workload called nobody has had a pass here'],
    ['an id nobody has', ['user', 'https://id.example|nobody'], 1, '"unseen": true'],
    ['an agent nobody has', ['agent', 'nobody'], 1, 'no agent called nobody'],
    ['a target that is none', ['target', 'nowhere'], 1, 'no target of that name'],
    ['a grant that is none', ['grant', idOf('nothing')], 1, 'there is no such grant'],
    ['what is no grant id', ['grant', 'nothing'], 2, 'is not the id of a grant'],
    ['me, as nobody', ['user', 'me'], 1, 'nobody is logged in'],
    ['no kind', ['planet', 'earth'], 2, 'unknown command'],
  ])('refuses %s', async (_name, args, code, said) => {
    const ran = await local('revoke', ...args);
    expect(ran.err).toContain(said);
    expect(ran.code).toBe(code);
    expect(fake.revoked.size).toBe(0);
  });

  it('lets people end everything of theirs, and nobody else’s', async () => {
    fake.add('x', grantOf('bob', { principal: person('bob') }));
    const { code, err } = await remote('revoke', 'user', 'me', '--reason', 'lost laptop');
    expect(err).toContain('Whoever logs in anew is welcome.');
    expect(code).toBe(0);
    expect(fake.revoked.get(ALICE)).toMatchObject({ by: ALICE, until: 1 });
    expect((await remote('revoke', 'user', 'https://id.example|bob')).code).toBe(1);
  });
});

describe('revocations', () => {
  it('lists what is kept out, and lifts it by the name it was revoked by', async () => {
    expect((await local('revocations')).err).toContain('Nobody and nothing is kept out.');
    await local('revoke', 'user', 'alice', '--reason', 'incident \u001b[31m42');
    const { out } = await local('revocations');
    expect(out).toMatch(/^KIND +WHAT +REVOKED +STATE +BY +REASON\n/);
    expect(out).toContain(`principal  ${ALICE}`);
    expect(out).toContain('kept out');
    expect(out).toContain('\\u001b[31m42');

    const lifted = await local('revocations', 'lift', 'user', 'alice', '--reason', 'over');
    expect(lifted.err).toContain('Lifted.');
    expect(fake.revoked.get(ALICE)?.lifted).toMatchObject({ by: 'local socket', reason: 'over' });
    expect((await local('revocations', '--json')).out).toBe('[]\n');
    expect((await local('revocations', '--all')).out).toContain('lifted ');
  });

  it('lifts nothing that stays ended or was never revoked', async () => {
    const grant = await local('revocations', 'lift', 'grant', job.id);
    expect(grant.err).toContain('Allowed choices are');
    expect(grant.code).toBe(2);
    const never = await local('revocations', 'lift', 'target', 'shop');
    expect(never.err).toContain('this target is not revoked');
    expect(never.code).toBe(1);
  });
});
