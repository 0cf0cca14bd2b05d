import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, RAW } from './testing/everyday-answer.ts';
import { Gateway } from './testing/gateway.ts';

// Conversations of several statements, each on a fresh connection: through the gateway as directly, and nothing raw.

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start();
});
afterAll(() => gateway?.stop());

const SESSIONS: Readonly<Record<string, readonly string[]>> = {
  'savepoints, as Django and Rails nest transactions': [
    'BEGIN',
    'SAVEPOINT active_record_1',
    "UPDATE orders SET status = 'shipped' WHERE id = 3",
    'ROLLBACK TO SAVEPOINT active_record_1',
    'RELEASE SAVEPOINT active_record_1',
    'SELECT status FROM orders WHERE id = 3',
    'ROLLBACK',
  ],
  'a statement that fails in a transaction': ['begin', 'select 1 / 0', 'select 1', 'rollback', 'select 1 as one'],
  'a failure taken back to a savepoint': [
    'begin',
    'savepoint s',
    'insert into orders (customer_id, total) values (999999, 1)',
    'rollback to s',
    'select count(*) from orders',
    'commit',
  ],
  'a cursor over a table, page by page': [
    'begin',
    'declare page no scroll cursor for select id, status, total from orders order by id',
    'fetch 3 from page',
    'fetch forward 2 from page',
    'move 5 in page',
    'fetch next from page',
    'close page',
    'commit',
  ],
  'a server-side cursor over a masked table': [
    'begin',
    'declare people cursor for select id, name from customers order by id',
    'fetch 2 from people',
    'rollback',
  ],
  'statements prepared in SQL': [
    'prepare of_customer (int) as select id, total from orders where customer_id = $1 order by id',
    'execute of_customer(7)',
    'execute of_customer(8)',
    'deallocate of_customer',
    'execute of_customer(7)',
  ],
  'an isolation level and settings of the session': [
    'set session characteristics as transaction isolation level repeatable read',
    'show default_transaction_isolation',
    "set statement_timeout = '30s'",
    'show statement_timeout',
    "set local lock_timeout = '1s'",
    'begin read only',
    'show transaction_read_only',
    "update orders set status = 'x' where id = 3",
    'rollback',
    'reset statement_timeout',
    'show statement_timeout',
    "set timezone to 'Europe/Berlin'",
    'select placed_at from orders where id = 1',
    'discard all',
    'show timezone',
  ],
  'a read-only report in one snapshot': [
    'begin isolation level repeatable read read only',
    'select count(*) from orders',
    'select sum(total) from orders',
    'commit',
  ],
  'locking a row, then changing it': [
    'begin',
    'select status from orders where id = 3 for update',
    "update orders set status = 'shipped' where id = 3 returning status",
    'rollback',
  ],
  'what psql and pools send around a connection': [
    'select 1',
    ';',
    '',
    '-- nothing but a comment',
    'DISCARD ALL',
    'RESET ALL',
    'UNLISTEN *',
    'CLOSE ALL',
    'ROLLBACK',
    'COMMIT',
  ],
};

describe.each(['simple', 'extended'] as const)('%s', (mode) => {
  it.each(Object.entries(SESSIONS))('%s', async (_name, texts) => {
    const said = async (client: pg.Client) => {
      const answers: unknown[] = [];
      for (const text of texts) {
        const one = {
          source: '',
          text,
          values: [],
          masked: new Map(),
          refused: undefined,
          differs: [],
          unordered: false,
        };
        const { fields, rows, tag, copied, code } = await ask(client, one, mode);
        answers.push({ text, fields, rows, tag, copied, code });
        expect(JSON.stringify(rows)).not.toMatch(RAW);
      }
      await client.end();
      return answers;
    };
    const direct = await said(await gateway.direct());
    expect(await said(await gateway.client(await gateway.person('alice')))).toEqual(direct);
  });
});
