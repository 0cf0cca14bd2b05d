import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ByteWriter } from '../src/wire/postgres/byte-writer.ts';
import { writeSslRequest } from '../src/wire/postgres/startup.ts';
import { found, Gateway, type Pass, run } from './testing/gateway.ts';
import { RawClient } from './testing/raw-client.ts';

let gateway: Gateway;
let alice: Pass;

beforeAll(async () => {
  gateway = await Gateway.start();
  alice = await gateway.person('alice');
});
afterAll(() => gateway?.stop());

/** A startup message of any minor version, with parameters in pairs. */
function startup(minor: number, ...parameters: readonly string[]): Uint8Array {
  const body = new ByteWriter().int32((3 << 16) | minor);
  for (const text of parameters) body.cstring(text);
  body.byte(0);
  return new ByteWriter()
    .int32(body.length + 4)
    .bytes(body.take())
    .take();
}

describe('TLS', () => {
  it('is spoken from the first byte when the client asks for PostgreSQL by ALPN', async () => {
    const socket = connectTls({
      host: 'localhost',
      port: gateway.running.ports.postgres,
      ca: readFileSync(gateway.ca),
      ALPNProtocols: ['postgresql'],
    });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('postgresql');
    socket.write(startup(0, 'user', `g.${alice.id}`, 'database', 'lab'));
    const [answer]: Buffer[] = await once(socket, 'data');
    expect(answer?.toString('latin1')).toContain('SCRAM-SHA-256-PLUS');
    socket.destroy();
  });

  it.each([[undefined], [['http/1.1']]])('from the first byte is refused with ALPN %s', async (protocols) => {
    const socket = connectTls({
      host: 'localhost',
      port: gateway.running.ports.postgres,
      ca: readFileSync(gateway.ca),
      ...(protocols ? { ALPNProtocols: protocols } : {}),
    });
    socket.on('error', () => {});
    const answer = await new Promise<string>((resolve) => {
      socket.on('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
      socket.on('close', () => resolve('closed'));
    });
    expect(answer === 'closed' || answer.includes('08P01')).toBe(true);
    socket.destroy();
  });

  it('is offered on request; encryption by GSS is not', async () => {
    const ask = async (bytes: Uint8Array) => {
      const socket = connectTcp(gateway.running.ports.postgres, '127.0.0.1');
      socket.write(bytes);
      const [answer]: Buffer[] = await once(socket, 'data');
      socket.destroy();
      return answer?.toString();
    };
    expect(await ask(writeSslRequest())).toBe('S');
    expect(await ask(new ByteWriter().int32(8).int32(80877104).take())).toBe('N');
  });

  it.skipIf(!found('psql'))('holds with verify-full and channel binding, and without TLS by SCRAM', async () => {
    const ask = ['-X', '-At', '-c', 'select 1'];
    const strict = gateway.libpq(alice, 'lab');
    expect(await run('psql', ask, strict)).toMatchObject({ status: 0, stdout: '1\n' });
    expect(await run('psql', ask, { ...strict, PGHOST: '127.0.0.2' })).toMatchObject({ status: 2 });
    const plain = { ...strict, PGSSLMODE: 'disable', PGCHANNELBINDING: 'disable' };
    expect(await run('psql', ask, plain)).toMatchObject({ status: 0, stdout: '1\n' });
    expect((await run('psql', ask, { ...plain, PGUSER: 'me', PGPASSWORD: alice.pass })).stderr).toContain('TLS');
  });
});

describe('the protocol version', () => {
  it.each([
    [0, [], undefined, 4],
    [2, [], undefined, 32],
    [9, [], { minor: 2, unknown: [] }, 32],
    [0, ['_pq_.shiny', 'on'], { minor: 0, unknown: ['_pq_.shiny'] }, 4],
  ] as const)('3.%i with %j is negotiated', async (minor, options, told, secret) => {
    const client = await RawClient.open(gateway.running.ports.postgres);
    await client.login(`g.${alice.id}`, alice.secret, 'lab', (parameters) =>
      startup(minor, ...[...parameters].flat(), ...options),
    );
    const negotiated = client.welcome.find((one) => one.type === 'v')?.body;
    if (told === undefined) {
      expect(negotiated).toBeUndefined();
    } else {
      expect(negotiated?.readInt32BE(0)).toBe((3 << 16) | told.minor);
      expect(negotiated?.toString('latin1', 8).split('\0').filter(Boolean)).toEqual(told.unknown);
    }
    expect(client.welcome.find((one) => one.type === 'K')?.body.length).toBe(4 + secret);
    client.close();
  });
});
