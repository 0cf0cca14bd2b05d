import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from './testing/gateway.ts';
import { attemptsIn } from './testing/twins/attempts.ts';

let gateway: Gateway;
let client: pg.Client;
let direct: pg.Client;

beforeAll(async () => {
  gateway = await Gateway.start();
  client = await gateway.client(await gateway.person('alice'));
  direct = await gateway.direct();
});
afterAll(async () => {
  await client?.end();
  await direct?.end();
  await gateway?.stop();
});

/** What the customers table holds that nobody without `reveal` may learn. */
const VALUES = /customer\d+@mail|\d{3}-\d{2}-1\d{3}|AKIA/i;

async function state(): Promise<unknown> {
  const { rows } = await direct.query(
    `select (select count(*) from pg_class where relnamespace = 'public'::regnamespace) as relations,
       (select md5(string_agg(o::text, ',' order by id)) from orders o) as orders,
       (select md5(string_agg(c::text, ',' order by id)) from customers c) as customers`,
  );
  return rows;
}

describe('what was tried to get around, at the shop', () => {
  it.each(attemptsIn('postgres.sql'))('$name', async ({ lines }) => {
    const before = await state();
    for (const text of lines) {
      for (const protocol of ['simple', 'extended'] as const) {
        const query =
          protocol === 'simple' ? client.query(text) : client.query({ text, queryMode: 'extended' } as pg.QueryConfig);
        const told = await query.then(
          ({ rows }) => JSON.stringify(rows),
          (thrown: { message: string; detail?: string; hint?: string; where?: string }) =>
            JSON.stringify([thrown.message, thrown.detail, thrown.hint, thrown.where]),
        );
        expect(told).not.toMatch(VALUES);
      }
    }
    await client.query('deallocate all');
    expect((await client.query('select 1 as alive')).rows).toEqual([{ alive: 1 }]);
    expect(await state()).toEqual(before);
  });
});
