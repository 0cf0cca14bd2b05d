import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import { verifyEvidence } from '../src/audit/verify.ts';
import { startWorld, type World } from '../src/devtools/world.ts';
import { serveProcess } from './testing/process.ts';

// SIGKILL at any moment loses no acknowledged event and no operation that was forwarded.

let world: World;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-crash-'));
  world = await startWorld({ directory });
  await world.postgres.query('create table hits (n int primary key)', 'lab');
  await world.postgres.query('grant all on hits to shop_app', 'lab');
});
afterAll(async () => {
  await world?.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const evidence = () => join(directory, 'var/evidence');

/** Numbers whose INSERT is in the audit log as cleared. */
async function clearedNumbers(): Promise<number> {
  let cleared = 0;
  for await (const { event } of readAudit(evidence(), { types: ['operation.cleared'] })) {
    if (JSON.stringify(event['resources']).includes('hits')) cleared += 1;
  }
  return cleared;
}

describe('a gateway that is killed', () => {
  it('has a record of every operation that reached the target, and starts again', async () => {
    let next = 0;
    for (let round = 0; round < 3; round++) {
      const gateway = await serveProcess(world.config);
      const token = await world.idp.idToken('alice');
      const ca = readFileSync(join(directory, 'var/tls/ca.pem'), 'utf8');
      const clients = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const client = new pg.Client({
            host: 'localhost',
            port: gateway.ports.postgres,
            user: 'x',
            password: token,
            database: 'lab',
            ssl: { ca },
          });
          client.on('error', () => {});
          await client.connect();
          return client;
        }),
      );
      let acknowledged = 0;
      const storm = clients.map(async (client) => {
        for (;;) {
          const n = next++;
          try {
            await client.query({ name: 'hit', text: 'insert into hits values ($1)', values: [n] });
            acknowledged += 1;
          } catch {
            return;
          }
        }
      });
      await sleep(300 + 200 * round);
      gateway.child.kill('SIGKILL');
      expect(await gateway.ended).toBe('SIGKILL');
      await Promise.all(storm);
      expect(acknowledged).toBeGreaterThan(10);
      await sleep(300); // what was forwarded may still be running at the target
      const [row] = await world.postgres.query('select count(*)::int as n from hits', 'lab');
      expect(await clearedNumbers()).toBeGreaterThanOrEqual(Number(row?.['n']));
    }

    const gateway = await serveProcess(world.config);
    const report = await verifyEvidence(evidence(), {
      publicKey: readFileSync(join(directory, 'var/keys/evidence.pub'), 'utf8'),
    });
    expect(report.problems).toEqual([]);
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toBe(0);
  });
});
