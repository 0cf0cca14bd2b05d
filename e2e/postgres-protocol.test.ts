import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePlainBind } from '../src/wire/postgres/bind.ts';
import { ByteWriter } from '../src/wire/postgres/byte-writer.ts';
import { writeClose, writeDescribe } from '../src/wire/postgres/describe.ts';
import { writeExecute } from '../src/wire/postgres/execute.ts';
import { writeParse } from '../src/wire/postgres/parse.ts';
import { writeQuery } from '../src/wire/postgres/query.ts';
import { writeSslRequest, writeStartup } from '../src/wire/postgres/startup.ts';
import { Gateway, type Pass } from './testing/gateway.ts';
import { RawClient } from './testing/raw-client.ts';

let gateway: Gateway;
let alice: Pass;

beforeAll(async () => {
  gateway = await Gateway.start();
  alice = await gateway.person('alice');
});
afterAll(() => gateway.stop());

const SYNC = Uint8Array.of(0x53, 0, 0, 0, 4);
const FLUSH = Uint8Array.of(0x48, 0, 0, 0, 4);
const open = () => RawClient.open(gateway.running.ports.postgres);

async function session(database = 'lab'): Promise<RawClient> {
  const client = await open();
  await client.login(`g.${alice.id}`, alice.secret, database);
  return client;
}

/** Parse, Bind, Execute of the unnamed statement. */
function statement(text: string, rows = 0): Uint8Array[] {
  return [writeParse({ statement: '', text, types: [] }), writePlainBind('', ''), writeExecute({ portal: '', rows })];
}

describe('bytes before a login', () => {
  it.each([
    ['a startup packet over 10,000 bytes', Uint8Array.of(0, 0, 0x30, 0, 0, 3, 0, 0)],
    ['a startup packet below its own size', Uint8Array.of(0, 0, 0, 4)],
    ['protocol 2', Uint8Array.of(0, 0, 0, 8, 0, 2, 0, 0)],
    ['no user', writeStartup(new Map([['database', 'lab']]))],
    [
      'a replication connection',
      writeStartup(
        new Map([
          ['user', 'x'],
          ['replication', 'database'],
        ]),
      ),
    ],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a second TLS request', Buffer.concat([writeSslRequest(), writeSslRequest()])],
    [
      'a startup packet behind a TLS request',
      Buffer.concat([writeSslRequest(), writeStartup(new Map([['user', 'x']]))]),
    ],
  ])('are answered with an error and the connection closed: %s', async (_name, bytes) => {
    const client = await open();
    client.send(bytes);
    await client.wait(() => false, 3_000);
    expect(client.closed).toBe(true);
    expect(client.errors().every((code) => code === '08P01' || code === '0A000')).toBe(true);
    expect(client.errors().length).toBe(1);
  });

  it('may be anything at all without disturbing others', async () => {
    const other = await session();
    for (let i = 0; i < 60; i++) {
      const client = await open();
      client.send(randomBytes(1 + Math.floor(Math.random() * 400)));
      if (i % 3 === 0) client.close();
    }
    expect(await other.ask(1, writeQuery('select 1'))).toBe('TDCZ');
    other.close();
  });
});

describe('the extended protocol', () => {
  it('answers like a server, pipelined and without Sync', async () => {
    const client = await session();
    expect(await client.ask(1, ...statement('select 1'), SYNC)).toBe('12DCZ');
    expect(await client.ask(1, ...statement('select 1'), ...statement('select 2'), SYNC)).toBe('12DC12DCZ');
    expect(await client.ask(2, ...statement('select 1'), SYNC, ...statement('select 2'), SYNC)).toBe('12DCZ12DCZ');
    client.seen.length = 0;
    client.send(...statement('select 3'), FLUSH);
    await client.wait((seen) => seen.length === 4);
    expect(client.seen.map((one) => one.type).join('')).toBe('12DC');
    expect(await client.ask(1, SYNC)).toBe('Z');
    client.close();
  });

  it('describes, limits rows and suspends portals', async () => {
    const client = await session();
    const parse = writeParse({ statement: 's', text: 'select generate_series(1, 5)', types: [] });
    expect(await client.ask(1, parse, writeDescribe({ kind: 'statement', name: 's' }), SYNC)).toBe('1tTZ');
    const limited = [
      writePlainBind('', 's'),
      writeExecute({ portal: '', rows: 2 }),
      writeExecute({ portal: '', rows: 2 }),
      writeExecute({ portal: '', rows: 2 }),
    ];
    expect(await client.ask(1, ...limited, SYNC)).toBe('2DDsDDsDCZ');
    client.close();
  });

  it('skips to Sync after an error, and after a denial in just the same way', async () => {
    const lab = await session();
    expect(
      await lab.ask(1, ...statement('select 1/(g-1) from generate_series(1,2) g'), ...statement('select 2'), SYNC),
    ).toBe('12EZ');
    expect(await lab.ask(1, ...statement('select 2'), SYNC)).toBe('12DCZ');
    lab.close();
    const shop = await session('shop');
    expect(
      await shop.ask(1, ...statement('select id from customers order by email'), ...statement('select 2'), SYNC),
    ).toBe('EZ');
    expect(shop.errors()).toEqual(['42501']);
    expect(await shop.ask(1, ...statement('select id from customers where id = 1'), SYNC)).toBe('12DCZ');
    shop.close();
  });

  it('reads past what follows an error of the server, whenever that comes', async () => {
    const client = await session();
    await client.ask(1, writeQuery('select 1'));
    for (let i = 0; i < 10; i++) {
      const after = [`select ${i}`, `create temp table t${i} (a int)`, 'select nothing', 'selec'];
      const [at, sent] = [i % after.length, after[i % after.length] ?? ''];
      expect(
        await client.ask(1, ...statement('select 1'), ...statement('select 1/0'), ...statement(sent), SYNC),
        `${at}: ${sent}`,
      ).toBe('12DC1EZ');
      expect(client.errors()).toEqual(['22012']);
      // The error arrives before the rest is sent.
      client.seen.length = 0;
      client.send(...statement('select 1/0'), FLUSH);
      await client.wait((seen) => seen.some((one) => one.type === 'E'));
      expect(await client.ask(1, ...statement(sent), writeQuery(sent), SYNC)).toBe('Z');
    }
    client.close();
  });

  it('describes a cursor by its name, and reads a portal with FETCH, but does not execute a cursor', async () => {
    const client = await session();
    await client.ask(1, writeQuery('begin'));
    await client.ask(1, writeQuery('declare c cursor for select 1 as one'));
    expect(await client.ask(1, writeDescribe({ kind: 'portal', name: 'c' }), SYNC)).toBe('TZ');
    await client.ask(1, writeParse({ statement: '', text: 'select generate_series(1, 5)', types: [] }), SYNC);
    client.seen.length = 0;
    client.send(writePlainBind('p', ''), writeExecute({ portal: 'p', rows: 2 }), FLUSH);
    await client.wait((seen) => seen.some((one) => one.type === 's'));
    expect(await client.ask(1, SYNC)).toBe('Z');
    expect(await client.ask(1, writeQuery('move 1 in p'))).toBe('CZ');
    expect(await client.ask(1, writeQuery('fetch all in p'))).toBe('TDDCZ');
    expect(await client.ask(1, writeExecute({ portal: 'c', rows: 0 }), SYNC)).toBe('EZ');
    expect(client.errors()).toEqual(['0A000']);
    client.close();
  });

  it('masks when a prepared statement is executed again without Describe', async () => {
    const client = await session('shop');
    await client.ask(
      1,
      writeParse({ statement: 'again', text: 'select email from customers where id = 1', types: [] }),
      SYNC,
    );
    for (let i = 0; i < 3; i++) {
      expect(await client.ask(1, writePlainBind('', 'again'), writeExecute({ portal: '', rows: 0 }), SYNC)).toBe(
        '2DCZ',
      );
      const row = client.seen.find((one) => one.type === 'D');
      expect(row?.body.includes('@')).toBe(true);
      expect(row?.body.includes('customer1@')).toBe(false);
    }
    client.close();
  });

  it('does not let a portal or statement be reached that it did not decide about', async () => {
    const client = await session('shop');
    await client.ask(1, writeQuery('begin'));
    expect(await client.ask(1, writeQuery('declare c cursor for select id from customers'))).toBe('CZ');
    expect(await client.ask(1, writeExecute({ portal: 'c', rows: 0 }), SYNC)).toBe('EZ');
    await client.ask(1, writeQuery('rollback'));
    expect(await client.ask(1, writePlainBind('', 'nobody'), SYNC)).toBe('EZ');
    expect(await client.ask(1, writeExecute({ portal: 'nobody', rows: 0 }), SYNC)).toBe('EZ');
    client.close();
  });
});

describe('a client that leaves', () => {
  it('in the middle of a pipeline whose names are in doubt holds nobody up', async () => {
    const [leaving, other] = [await session(), await session()];
    await leaving.ask(1, writeParse({ statement: 's', text: 'select 1', types: [] }), SYNC);
    const slow = [
      writeClose({ kind: 'statement', name: 's' }),
      ...statement('select pg_sleep(1)'),
      writeParse({ statement: 's', text: 'select 2', types: [] }),
      SYNC,
    ];
    leaving.send(...slow, writePlainBind('', 's'), writeExecute({ portal: '', rows: 0 }), SYNC);
    await sleep(150);
    leaving.close();
    const began = performance.now();
    expect(await other.ask(1, writeQuery('select 1'))).toBe('TDCZ');
    await sleep(1_200);
    expect(await other.ask(1, writeQuery('select 1'))).toBe('TDCZ');
    expect(performance.now() - began).toBeLessThan(3_000);
    other.close();
  });
});

describe('COPY', () => {
  it('goes in and out, by either protocol', async () => {
    const client = await session();
    await client.ask(1, writeQuery('create table copied (a int, b text)'));
    const data = (text: string) => new ByteWriter().message(0x64, (body) => body.bytes(Buffer.from(text))).take();
    const done = Uint8Array.of(0x63, 0, 0, 0, 4);
    client.seen.length = 0;
    client.send(writeQuery('copy copied from stdin'));
    await client.wait((seen) => seen.some((one) => one.type === 'G'));
    expect(await client.ask(1, data('1\tx\n'), data('2\ty\n'), done)).toBe('CZ');
    // libpq sends the Sync that the server reads past together with the Execute.
    client.seen.length = 0;
    client.send(...statement('copy copied from stdin'), SYNC);
    await client.wait((seen) => seen.some((one) => one.type === 'G'));
    expect(await client.ask(1, data('3\tz\n'), done, SYNC)).toBe('CZ');
    expect(await client.ask(1, writeQuery('copy copied to stdout'))).toBe('HdddcCZ');
    client.seen.length = 0;
    client.send(...statement('copy copied from stdin'), SYNC);
    await client.wait((seen) => seen.some((one) => one.type === 'G'));
    expect(await client.ask(1, data('no number\n'), done, SYNC)).toBe('EZ');
    expect(await client.ask(1, writeQuery('select count(*) from copied'))).toBe('TDCZ');
    client.close();
  });

  it('ignores copy data that nobody asked for, as a server does', async () => {
    const client = await session();
    const stray = new ByteWriter().message(0x64, (body) => body.bytes(Buffer.from('stray'))).take();
    expect(await client.ask(1, stray, writeQuery('select 1'))).toBe('TDCZ');
    client.close();
  });
});

describe('what is refused', () => {
  it('is said in the words of the protocol, with the session alive', async () => {
    const client = await session();
    const call = new ByteWriter().message(0x46, (body) => body.int32(1).int16(0).int16(0).int16(0)).take();
    expect(await client.ask(1, call)).toBe('EZ');
    expect(client.errors()).toEqual(['0A000']);
    const large = writeQuery(`select '${'x'.repeat(2 << 20)}'`);
    expect(await client.ask(1, large)).toBe('EZ');
    expect(client.errors()).toEqual(['54000']);
    const notUtf8 = new ByteWriter()
      .message(0x51, (body) => body.bytes(Buffer.from("select '\xff'\0", 'latin1')))
      .take();
    expect(await client.ask(1, notUtf8)).toBe('EZ');
    expect(client.errors()).toEqual(['22021']);
    expect(await client.ask(1, writeQuery('selec 1'))).toBe('EZ');
    expect(await client.ask(1, writeQuery('select 1'))).toBe('TDCZ');
    client.close();
  });

  it.each([
    ['a message type nobody knows', Uint8Array.of(0x7a, 0, 0, 0, 4)],
    ['a length below its own size', Uint8Array.of(0x51, 0, 0, 0, 3)],
    ['a Bind that ends inside a field', Uint8Array.of(0x42, 0, 0, 0, 7, 0, 0, 0)],
    ['a length over a gigabyte', Uint8Array.of(0x51, 0x7f, 0, 0, 0)],
  ])('closes the connection when the stream cannot be trusted: %s', async (_name, bytes) => {
    const [client, other] = [await session(), await session()];
    await client.ask(1, writeQuery('select 1'));
    client.seen.length = 0;
    client.send(bytes);
    await client.wait(() => false, 3_000);
    expect(client.closed).toBe(true);
    expect(client.errors()).toEqual(['08P01']);
    expect(await other.ask(1, writeQuery('select 1'))).toBe('TDCZ');
    other.close();
  });

  it('forwards nothing of a message that never ends', async () => {
    const client = await session();
    client.send(writeQuery('create table never (a int)').subarray(0, 20));
    await sleep(200);
    client.close();
    const direct = await gateway.direct('lab');
    const { rows } = await direct.query("select to_regclass('never') as found");
    expect(rows[0]).toEqual({ found: null });
    await direct.end();
  });
});
