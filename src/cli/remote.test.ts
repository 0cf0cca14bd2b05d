import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Control, startControl } from '../control/server.ts';
import { localSocketPath } from '../control/socket-path.ts';
import { testCertificate } from '../control/testing/certificate.ts';
import { CI, childOf, FakeControl, grantOf, idOf, NEW_PASS, NOW, person } from '../control/testing/fakes.ts';
import { sallyport } from './testing/run.ts';

// Commands against the real control plane over real connections; only what lies behind it is made up.

const PASS = `slp_${'a'.repeat(22)}_${'b'.repeat(38)}`;
const fake = new FakeControl();
const alice = grantOf('alice');
const job = childOf(alice, 'job', CI);
const pem = testCertificate();

/** The folder of a gateway's owner, and that of somebody elsewhere. */
let owner: string;
let elsewhere: string;
let control: Control;
let url: string;

beforeAll(async () => {
  owner = mkdtempSync(join(tmpdir(), 'sallyport-owner-'));
  elsewhere = mkdtempSync(join(tmpdir(), 'sallyport-user-'));
  mkdirSync(join(owner, 'var'), { mode: 0o700 });
  const socket = localSocketPath(join(owner, 'var'));
  control = await startControl({
    ports: fake.ports(),
    https: { host: '127.0.0.1', port: 0 },
    ...pem,
    socket,
    onFault: () => undefined,
  });
  url = `https://localhost:${control.https.port}`;
  writeFileSync(join(owner, 'sallyport.yaml'), `version: 1\nurl: ${url}\n`);
  writeFileSync(join(elsewhere, 'ca.pem'), pem.certificate);
  writeFileSync(join(elsewhere, 'token'), `${PASS}\n`);
});
afterAll(async () => {
  await control.close();
  for (const folder of [owner, elsewhere]) rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  fake.chains.clear();
  fake.add(PASS, alice);
  fake.add('job', alice, job);
  fake.add(NEW_PASS, alice, childOf(alice, 'new', undefined, { scopes: [{ target: 'shop' }] }));
  fake.revoked.clear();
  fake.forms = [];
});

const local = (...args: string[]) => sallyport(args, { cwd: owner });
const remote = (args: string[], env: Record<string, string> = {}, input?: string) =>
  sallyport(args, {
    cwd: elsewhere,
    env: { SALLYPORT_URL: url, SALLYPORT_CA: join(elsewhere, 'ca.pem'), ...env },
    ...(input === undefined ? {} : { input }),
  });

describe('over the local socket', () => {
  it('the owner administers without a pass', async () => {
    const tree = await local('pass', 'tree');
    expect(tree.err).toBe('');
    expect(tree.out).toContain('└─ deploy (attested)');

    const revoked = await local('pass', 'revoke', job.id, '--reason', 'leaver');
    expect(revoked.code).toBe(0);
    expect(fake.revoked.get(job.id)).toMatchObject({ by: 'local socket', reason: 'leaver' });

    const sealed = await sallyport(['targets', 'seal', 'shop-password'], { cwd: owner, input: 'hunter2\n' });
    expect(sealed.err).toContain('sealed:shop-password');
    expect(fake.sealed.get('shop-password')).toBe('hunter2');
  });

  it('nobody connects to a target: the owner is nobody there', async () => {
    const { code, err } = await local('connect', 'shop');
    expect(code).toBe(1);
    expect(err).toContain('sallyport login');
  });

  it('what a gateway refuses is said in its words', async () => {
    const { code, err } = await local('pass', 'revoke', idOf('nothing'));
    expect(code).toBe(1);
    expect(err).toBe('error there is no such grant\n');
  });
});

describe('over HTTPS', () => {
  it('an unknown certificate is refused with what to do', async () => {
    const { code, err } = await remote(['targets'], { SALLYPORT_CA: '', SALLYPORT_PASS: PASS });
    expect(code).toBe(1);
    expect(err).toContain('not signed by anybody trusted');
    expect(err).toContain('--ca');
  });

  it('no pass is a hint to log in', async () => {
    const { code, err } = await remote(['targets']);
    expect(code).toBe(1);
    expect(err).toContain('sallyport login');
  });

  it('a pass from the environment is used', async () => {
    const { code, out } = await remote(['targets', '--json'], { SALLYPORT_PASS: PASS });
    expect(code).toBe(0);
    expect(JSON.parse(out).targets.map((target: { name: string }) => target.name)).toEqual(['shop']);
  });

  it('a login is kept for its owner only, used, and forgotten', async () => {
    const login = await remote(['login', '--id-token', 'token']);
    expect(login.err).toContain('Logged in');
    const file = join(elsewhere, '.config', 'sallyport', 'credentials.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(NEW_PASS);

    const who = await sallyport(['whoami'], { cwd: elsewhere });
    expect(who.out).toBe('alice\n');
    const out = await sallyport(['logout'], { cwd: elsewhere });
    expect(out.err).toContain('Logged out');
    expect(fake.passes.has(NEW_PASS)).toBe(false);
    expect((await sallyport(['whoami'], { cwd: elsewhere })).code).toBe(1);
  });

  it('a pass is narrowed by what the options say', async () => {
    const env = { SALLYPORT_PASS: PASS };
    const narrow = ['pass', 'narrow', '--target', 'shop', '--action', 'select', '--table', 'public.orders:id,total'];
    const more = [
      '--as',
      'helper',
      '--expires',
      '15m',
      '--uses',
      '1',
      '--no-delegate',
      '--source',
      '10.0.0.0/8',
      '--quiet',
    ];
    const { out, err } = await remote([...narrow, ...more], env);
    expect(err).toBe('');
    expect(out).toBe(`${NEW_PASS}\n`);
    expect(Object.fromEntries(fake.forms[0] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: PASS,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      actor: '{"name":"helper","kind":"tool"}',
      authorization_details:
        '[{"type":"sallyport","target":"shop","actions":["select"],"tables":{"public.orders":["id","total"]}}]',
      expires_in: '900',
      uses: '1',
      delegable: 'false',
      sources: '10.0.0.0/8',
    });
    expect((await remote(['pass', 'narrow', '--action', 'select'], env)).err).toContain('--target');
    expect((await remote(['pass', 'narrow'])).err).toContain('SALLYPORT_PASS is not set');
  });

  it('connect gives a client all it needs, and verifies the gateway', async () => {
    const env = { SALLYPORT_PASS: PASS };
    const printed = await remote(['connect', 'shop', '--env'], env);
    expect(printed.out.split('\n')).toEqual([
      'export PGHOST=localhost',
      'export PGPORT=7432',
      'export PGDATABASE=shop',
      `export PGUSER=g.${'a'.repeat(22)}`,
      `export PGPASSWORD=${'b'.repeat(38)}`,
      'export PGCHANNELBINDING=require',
      'export PGSSLMODE=verify-full',
      `export PGSSLROOTCERT=${join(elsewhere, '.config', 'sallyport', 'ca-localhost.pem')}`,
      '',
    ]);
    const script = 'process.stdout.write(process.env.PGUSER + " " + process.argv[1]); process.exit(7)';
    const run = await remote(['connect', 'shop', '--', process.execPath, '-e', script, '--', '-c'], env);
    expect(run).toMatchObject({ code: 7, out: `g.${'a'.repeat(22)} -c` });
    expect((await remote(['connect', 'shop', '--uri'], env)).out).toMatch(
      /^postgresql:\/\/g\.a+:b+@localhost:7432\/shop\?sslmode=verify-full&/,
    );
    expect((await remote(['connect', 'shop', '--', 'no-such-client'], env)).err).toContain('not installed');
  });

  it('a recording that breaks off is a failure', async () => {
    fake.auditors = ['alice'];
    fake.sessions = [
      {
        id: idOf('s1'),
        node: 'gw-1',
        worker: 0,
        target: 'shop',
        database: 'shop',
        role: 'app',
        grant: job.id,
        chainIds: [],
        chain: 'alice',
        detail: null,
        startedAt: NOW,
        client: undefined,
        address: '',
        endedAt: undefined,
        cause: undefined,
        totals: undefined,
      },
    ];
    const body = new TextEncoder().encode(JSON.stringify({ text: 'select 1', decision: 'permit', policies: [] }));
    fake.entries = [
      { session: idOf('s1'), target: 'shop', kind: 'asked', sequence: 1, at: NOW, body },
      { session: idOf('other'), target: 'shop', kind: 'asked', sequence: 1, at: NOW, body },
    ];
    const { code, out, err } = await remote(['replay', idOf('s1'), '--instant'], { SALLYPORT_PASS: PASS });
    expect(out).toContain('1> select 1');
    expect(code).toBe(1);
    expect(err).toContain('something went wrong');
  });

  it('explain says in its exit code what it would be', async () => {
    fake.auditors = ['alice'];
    const { code, out } = await remote(['explain', '--on', 'shop', '-'], { SALLYPORT_PASS: PASS }, 'select 1');
    expect(code).toBe(0);
    expect(out).toContain('permit');
    expect(fake.explained.at(-1)?.sql).toBe('select 1');
  });

  it('a pass is not sent to a place that is not https', async () => {
    const { code, err } = await remote(['targets', '--url', 'http://localhost:1'], { SALLYPORT_PASS: PASS });
    expect(code).toBe(2);
    expect(err).toContain('https://');
  });
});

describe('somebody else’s principal', () => {
  it('is shown by name in the list', async () => {
    fake.add('x', grantOf('bob', { principal: person('bob\u001b[31m') }));
    const { out } = await local('pass', 'list');
    expect(out).toContain('bob\\u001b[31m');
    expect(out).not.toContain('\u001b');
  });
});
