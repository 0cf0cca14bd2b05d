import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePlainBind } from '../src/wire/postgres/bind.ts';
import { writeClose } from '../src/wire/postgres/describe.ts';
import { writeExecute } from '../src/wire/postgres/execute.ts';
import { writeParse } from '../src/wire/postgres/parse.ts';
import { writeQuery } from '../src/wire/postgres/query.ts';
import { Gateway } from './testing/gateway.ts';
import { RawClient } from './testing/raw-client.ts';

const SYNC = Uint8Array.of(0x53, 0, 0, 0, 4);
const parse = (statement: string, text: string) => writeParse({ statement, text, types: [] });
const bind = writePlainBind;
const execute = (portal: string) => writeExecute({ portal, rows: 0 });
const closePortal = (name: string) => writeClose({ kind: 'portal', name });
const closeStatement = (name: string) => writeClose({ kind: 'statement', name });

/** Fails after a while, so that whatever is sent behind it is judged before the failure is known. */
const FAILS_LATE = 'select 1 / length(pg_sleep(0.4)::text)';
const PHONES = 'select phone from customers limit 2';
const HARMLESS = 'select status from orders limit 1';

let gateway: Gateway;
let client: RawClient;

beforeAll(async () => {
  gateway = await Gateway.start();
  const direct = await gateway.direct();
  await direct.query(
    `create schema hidden; create table hidden.orders (status text); insert into hidden.orders values ('TOP')`,
  );
  await direct.end();
  const { id, secret } = await gateway.person('alice');
  client = await RawClient.open(gateway.running.ports.postgres);
  await client.login(`g.${id}`, secret, 'shop');
});
afterAll(async () => {
  client?.close();
  await gateway?.stop();
});

function rows(): string[] {
  return client.seen.filter(({ type }) => type === 'D' || type === 'd').map(({ body }) => body.toString('latin1'));
}

/** `before` in a transaction; then two prepared names change places with utility statements bound before. */
async function boundThenChanged(before: string, bound: string, changes: readonly string[]): Promise<void> {
  await client.ask(1, writeQuery('begin'));
  if (before !== '') await client.ask(1, writeQuery(before));
  const made = changes.flatMap((text, i) => [parse(`c${i}`, text), bind(`C${i}`, `c${i}`)]);
  await client.ask(1, parse('b', bound), bind('B', 'b'), ...made, SYNC);
  await client.ask(1, ...changes.map((_, i) => execute(`C${i}`)), execute('B'), SYNC);
  const [said, errors] = [rows().join(), client.errors()];
  await client.ask(1, writeQuery('rollback'));
  await client.ask(1, writeQuery('deallocate all'));
  expect(said).not.toMatch(/555|TOP/);
  expect(errors).toEqual(['42501']);
}

describe('names that do not mean what they seem to', () => {
  it('refuses names that the server would cut to another', async () => {
    const name = 'a'.repeat(63);
    expect(await client.ask(1, parse(`${name}x`, HARMLESS), SYNC)).toBe('EZ');
    expect(client.errors()).toEqual(['42622']);
    expect(await client.ask(1, parse(name, HARMLESS), bind(`${name}x`, name), SYNC)).toBe('1EZ');
    for (const message of [execute(`${name}x`), closePortal(`${name}x`), closeStatement(`${name}x`)]) {
      await client.ask(1, message, SYNC);
      expect(client.errors()).toEqual(['42622']);
    }
    await client.ask(1, closeStatement(name), SYNC);
  });

  it('waits for a pipeline that may yet fail before it believes in a portal made there', async () => {
    await client.ask(1, writeQuery('begin'));
    await client.ask(
      1,
      parse('back', 'rollback to s'),
      parse('phones', PHONES),
      parse('late', FAILS_LATE),
      parse('save', 'savepoint s'),
      parse('harmless', HARMLESS),
      bind('', 'harmless'),
      execute(''),
      SYNC,
    );
    await client.ask(1, bind('p', 'phones'), bind('', 'save'), execute(''), SYNC);
    await client.ask(
      2,
      bind('', 'late'),
      execute(''),
      closePortal('p'),
      bind('p', 'harmless'),
      SYNC,
      bind('', 'back'),
      execute(''),
      execute('p'),
      SYNC,
    );
    expect(rows()).toHaveLength(2);
    expect(rows().join()).toMatch(/\*{5}/);
    expect(rows().join()).not.toMatch(/555/);
    await client.ask(1, writeQuery('rollback'));
    await client.ask(1, writeQuery('deallocate all'));
  });

  it('decides by the statement the server has, not by one that was skipped', async () => {
    await client.ask(1, parse('s', 'select id from orders where id = 1'), parse('late', FAILS_LATE), SYNC);
    const types = await client.ask(
      2,
      bind('', 'late'),
      execute(''),
      closeStatement('s'),
      parse('s', HARMLESS),
      SYNC,
      bind('', 's'),
      execute(''),
      SYNC,
    );
    expect(types).toBe('2EZ2DCZ');
    await client.ask(1, writeQuery('deallocate all'));
  });

  it('refuses an EXECUTE whose statement was exchanged after Bind', async () => {
    await boundThenChanged(`prepare p as ${HARMLESS}`, 'execute p', ['deallocate p', `prepare p as ${PHONES}`]);
  });

  it('refuses a FETCH whose cursor was exchanged after Bind', async () => {
    await boundThenChanged(`declare c cursor for ${HARMLESS}`, 'fetch 2 from c', [
      'close c',
      `declare c cursor for ${PHONES}`,
    ]);
  });

  it.each(['copy orders (status) to stdout', `declare c cursor for ${HARMLESS}`, `explain ${HARMLESS}`])(
    'refuses %s when names mean something else since Bind',
    async (text) => {
      await boundThenChanged('', text, ['set local search_path = hidden']);
    },
  );
});

describe('a portal read in pieces', () => {
  it('fails at the cap on rows instead of stopping quietly', async () => {
    const { id, secret } = await gateway.helper(await gateway.person('alice'), undefined, { rows: '3' });
    const capped = await RawClient.open(gateway.running.ports.postgres);
    await capped.login(`g.${id}`, secret, 'shop');
    const two = writeExecute({ portal: 'p', rows: 2 });
    await capped.ask(1, writeQuery('begin'));
    const types = await capped.ask(1, parse('', 'select id from orders'), bind('p', ''), two, two, SYNC);
    expect(types).toBe('12DDsDEZ');
    expect(capped.errors()).toEqual(['42501']);
    expect(capped.seen.at(-1)?.body.toString()).toBe('E');
    capped.close();
  });
});
