import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Credential, Target } from '../../core/target.ts';
import { targetAt } from '../../core/testing/target.ts';
import { type PostgresOptions, startPostgres, type ThrowawayPostgres } from '../../devtools/postgres.ts';
import { ownCertificate } from '../../secrets/certificate.ts';
import { hex } from '../../wire/testing/bytes.ts';
import { cancelUpstream, dial, type Upstream } from './dial.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-dial-'));
let certificate: { certificate: string; key: string; ca: string };
let server: ThrowawayPostgres | undefined;
let fake: Server | undefined;

beforeAll(async () => {
  const own = await ownCertificate(folder, [], Date.now());
  certificate = { ...own, ca: readFileSync(own.ca, 'utf8') };
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  fake?.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function target(port: number, tls: Target['tls'], host = '127.0.0.1'): Target {
  return targetAt({ host, port }, { tls });
}

const PLAIN: Target['tls'] = { mode: 'disable' };
const STARTUP = new Map([['database', 'postgres']]);
const GOOD: Credential = { user: 'postgres', password: 'throwaway', role: undefined };

function connect(to: Target, credential = GOOD): Promise<Upstream> {
  return dial(to, credential, STARTUP, AbortSignal.timeout(10_000));
}

async function start(options: PostgresOptions): Promise<ThrowawayPostgres> {
  server = await startPostgres(options);
  return server;
}

/** A server that says these bytes to whoever connects. */
async function pretend(...answers: readonly string[]): Promise<number> {
  fake = createServer((socket) => {
    const left = [...answers];
    socket.on('error', () => {});
    socket.on('data', () => {
      const answer = left.shift();
      if (answer !== undefined) socket.write(hex(answer));
    });
  });
  await new Promise<void>((resolve) => fake?.listen(0, '127.0.0.1', resolve));
  const address = fake.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a target', () => {
  it.each(['scram-sha-256', 'md5', 'password', 'trust'] as const)('lets the gateway in by %s', async (auth) => {
    const { port } = await start({ auth });
    const upstream = await connect(target(port, PLAIN));
    expect(upstream.parameters.get('server_encoding')).toBe('UTF8');
    expect(upstream.key?.process).toBeGreaterThan(0);
    upstream.socket.destroy();
    if (auth === 'trust') return;
    await expect(connect(target(port, PLAIN), { ...GOOD, password: 'wrong' })).rejects.toMatchObject({
      code: 'TARGET_CREDENTIAL',
    });
    await expect(connect(target(port, PLAIN), { ...GOOD, password: undefined })).rejects.toMatchObject({
      code: 'TARGET_CREDENTIAL',
    });
  });

  it('is verified by its certificate, and bound to it', async () => {
    const { port, query } = await start({ tls: certificate });
    const { ca } = certificate;
    for (const tls of [{ mode: 'verify-full', ca }, { mode: 'verify-ca', ca }, { mode: 'require' }] as const) {
      const upstream = await connect(target(port, tls, 'localhost'));
      const [row] = await query(`select ssl from pg_stat_ssl where pid = ${upstream.key?.process}`);
      expect(row).toEqual({ ssl: true });
      upstream.socket.destroy();
    }
    await expect(connect(target(port, { mode: 'verify-full' }, 'localhost'))).rejects.toMatchObject({
      code: 'TARGET_UNREACHABLE',
    });
    const other = await ownCertificate(join(folder, 'other'), [], Date.now());
    await expect(
      connect(target(port, { mode: 'verify-full', ca: readFileSync(other.ca, 'utf8') })),
    ).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
  });

  it('that has no TLS is not talked to in clear where TLS is wanted', async () => {
    const { port } = await start({});
    await expect(connect(target(port, { mode: 'require' }))).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
  });

  it('is asked to cancel, and does', async () => {
    const { port, query } = await start({});
    const upstream = await connect(target(port, PLAIN));
    const sleeping = query('select pg_sleep(20)');
    const failed = expect(sleeping).rejects.toMatchObject({ code: '57014' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [row] = await query("select pid from pg_stat_activity where query = 'select pg_sleep(20)'");
    await query(`select pg_cancel_backend(${String(row?.['pid'])})`);
    await failed;
    await cancelUpstream(target(port, PLAIN), { process: 1, secret: new Uint8Array(4) }); // a wrong key is no error
    upstream.socket.destroy();
  });

  it.each([
    ['nothing listens', [], 'TARGET_UNREACHABLE'],
    ['it asks for Kerberos', ['52 00 00 00 08 00 00 00 07'], 'PROTOCOL_UNSUPPORTED'],
    [
      'it lets us in in the middle of SCRAM',
      ['52 00 00 00 17 00 00 00 0a 53 43 52 41 4d 2d 53 48 41 2d 32 35 36 00 00', '52 00 00 00 08 00 00 00 00'],
      'TARGET_CREDENTIAL',
    ],
    ['it speaks something else', ['48 54 54 50 2f 31'], 'PROTOCOL_LIMIT'],
    ['it offers no mechanism we speak', ['52 00 00 00 0e 00 00 00 0a 58 4d 45 43 00 00'], 'TARGET_CREDENTIAL'],
    ['its first row comes before its login', ['44 00 00 00 06 00 00'], 'TARGET_PROTOCOL'],
  ])('is refused when %s', async (_name, answers, code) => {
    const port = answers.length === 0 ? 1 : await pretend(...answers);
    await expect(connect(target(port, PLAIN))).rejects.toMatchObject({ code });
  });
});
