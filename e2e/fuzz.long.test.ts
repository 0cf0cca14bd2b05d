import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePlainBind } from '../src/wire/postgres/bind.ts';
import { writeDescribe } from '../src/wire/postgres/describe.ts';
import { writeExecute } from '../src/wire/postgres/execute.ts';
import { writeParse } from '../src/wire/postgres/parse.ts';
import { writeQuery } from '../src/wire/postgres/query.ts';
import { Gateway, type Pass } from './testing/gateway.ts';
import { RawClient } from './testing/raw-client.ts';

// Bytes from hell, for minutes: whatever is sent, before or after a login, others never notice and memory stays flat.

const ROUNDS = 1_500;
const SYNC = Uint8Array.of(0x53, 0, 0, 0, 4);

let gateway: Gateway;
let alice: Pass;

beforeAll(async () => {
  gateway = await Gateway.start();
  alice = await gateway.person('alice');
});
afterAll(() => gateway?.stop());

/** A conversation that is right, to be made wrong. */
function transcript(): Buffer {
  const texts = [
    'select 1',
    "select 'x' || $1",
    'begin',
    'rollback',
    'select * from pg_class limit 3',
    'copy (select 1) to stdout',
    'set datestyle to iso',
  ];
  const pick = () => texts[Math.floor(Math.random() * texts.length)] ?? '';
  const parts = Array.from({ length: 1 + Math.floor(Math.random() * 6) }, () =>
    Math.random() < 0.5
      ? writeQuery(pick())
      : Buffer.concat([
          writeParse({ statement: '', text: pick(), types: [] }),
          writeDescribe({ kind: 'statement', name: '' }),
          writePlainBind('', ''),
          writeExecute({ portal: '', rows: 2 }),
          SYNC,
        ]),
  );
  return Buffer.concat(parts);
}

/** A few bytes changed, cut out, doubled or put in. */
function mutated(bytes: Buffer): Buffer {
  let now = Buffer.from(bytes);
  for (let i = 0; i < 1 + Math.floor(Math.random() * 4); i++) {
    const at = Math.floor(Math.random() * now.length);
    const length = 1 + Math.floor(Math.random() * 8);
    const kind = Math.random();
    if (kind < 0.4) now[at] = Math.floor(Math.random() * 256);
    else if (kind < 0.6) now = Buffer.concat([now.subarray(0, at), now.subarray(at + length)]);
    else if (kind < 0.8) now = Buffer.concat([now.subarray(0, at), randomBytes(length), now.subarray(at)]);
    else now = Buffer.concat([now, now.subarray(at, at + length)]);
  }
  return now;
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** What is really held, once the sockets that were closed are gone. */
async function heldMegabytes(): Promise<number> {
  await sleep(1_500);
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe('a gateway under fire', () => {
  it('answers others as if nothing were', async () => {
    const bystander = await gateway.client(alice, 'lab');
    const attack = async (round: number) => {
      const client = await RawClient.open(gateway.running.ports.postgres);
      if (round % 3 === 0) client.send(randomBytes(1 + Math.floor(Math.random() * 600)));
      else {
        await client.login(`g.${alice.id}`, alice.secret, 'lab');
        client.send(mutated(transcript()));
      }
      await client.wait(() => false, 40);
      client.close();
    };
    for (let round = 0; round < 200; round += 4) await Promise.all([0, 1, 2, 3].map((n) => attack(round + n)));
    const before = await heldMegabytes();
    for (let round = 0; round < ROUNDS; round += 4) {
      await Promise.all([0, 1, 2, 3].map((n) => attack(round + n)));
      if (round % 100 === 0) expect((await bystander.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }
    expect((await heldMegabytes()) - before).toBeLessThan(20);
    await bystander.end();
  });
});
