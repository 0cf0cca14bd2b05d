import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDescribe } from '../src/wire/postgres/describe.ts';
import { writeParse } from '../src/wire/postgres/parse.ts';
import { writeQuery } from '../src/wire/postgres/query.ts';
import { type Batch, generateBatches } from './testing/generate/messages.ts';
import { RawClient, type Seen } from './testing/raw-client.ts';
import { CANARY, SIDES, Twins } from './testing/twins/world.ts';

// Names of statements and portals, reused in every order, never lead to a value behind a label.

let twins: Twins;
let clients: readonly RawClient[] = [];

beforeAll(async () => {
  twins = await Twins.start();
});
afterAll(async () => {
  for (const client of clients) client.close();
  await twins?.stop();
});

async function connect(): Promise<readonly RawClient[]> {
  if (clients.length > 0 && clients.every(({ closed }) => !closed)) return clients;
  for (const client of clients) client.close();
  const { id, secret } = await twins.gateway.person('alice');
  clients = await Promise.all(
    SIDES.map(async (side) => {
      const client = await RawClient.open(twins.gateway.running.ports.postgres);
      await client.login(`g.${id}`, secret, `twins.twin_${side}`);
      return client;
    }),
  );
  return clients;
}

async function told(client: RawClient, batches: readonly Batch[], together: boolean): Promise<string> {
  const seen: Seen[] = [];
  const rounds = together ? [batches] : batches.map((batch) => [batch]);
  for (const round of rounds) {
    await client.ask(round.length, ...round.map(({ bytes }) => bytes));
    seen.push(...client.seen);
  }
  await client.ask(1, writeQuery('rollback'));
  await client.ask(1, writeQuery('discard all'));
  const text = seen.map(({ type, body }) => `${type} ${body.toString('latin1')}`).join('\n');
  return text
    .replaceAll(/twin_[ab]/g, 'twin')
    .replaceAll(/(session|request) \w{22}|until \d{4}-\d\d-\d\dT[\d:]{8}Z/g, '$1');
}

const NUMBERS = fc.noBias(fc.array(fc.nat({ max: 0xffff }), { minLength: 20, maxLength: 120, size: 'max' }));

describe('messages in any order', () => {
  it('do not tell two databases apart', { timeout: 90_000 }, async () => {
    let rows = 0;
    const property = fc.asyncProperty(NUMBERS, fc.boolean(), async (numbers, together) => {
      const batches = generateBatches(numbers);
      const asked = await connect();
      const [ours, theirs] = await Promise.all(asked.map((client) => told(client, batches, together)));
      if (asked.some(({ closed }) => closed)) return;
      const said = batches.map((batch) => batch.said).join('\n');
      expect(theirs, said).toBe(ours);
      expect(ours, said).not.toMatch(CANARY);
      rows += ours?.match(/^D /gm)?.length ?? 0;
    });
    await fc.assert(property, {
      numRuns: 500 * Number(process.env['SALLYPORT_EFFORT'] ?? 1),
      interruptAfterTimeLimit: 30_000,
    });
    expect(rows).toBeGreaterThan(100);
  });
});

it('a description asked for behind an error does not end the session', async () => {
  const [client] = await connect();
  const messages = [
    writeQuery('prepare a as select 1'),
    writeParse({ statement: 'p', text: 'selec', types: [] }),
    writeDescribe({ kind: 'statement', name: 'a' }),
    Uint8Array.of(0x53, 0, 0, 0, 4),
  ];
  await client?.ask(2, Buffer.concat(messages));
  expect(client?.closed).toBe(false);
});
