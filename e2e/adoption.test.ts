import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import { sallyport } from '../src/cli/testing/run.ts';
import type { AuditEvent } from '../src/core/evidence.ts';
import { SHOP_PASSWORD, SHOP_USER } from '../src/devtools/shop.ts';
import { serve } from '../src/main.ts';
import { Gateway } from './testing/gateway.ts';

// A role that everybody shared, and the gateway takes over.

const LOGGING = ['logging_collector=on', 'log_statement=ddl', 'log_min_messages=log'];
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start({ postgres: { settings: LOGGING } });
});
afterAll(() => gateway?.stop());

const run = (...args: string[]) => sallyport(['targets', 'adopt', ...args], { cwd: gateway.directory });

async function events(type: string): Promise<AuditEvent[]> {
  const found: AuditEvent[] = [];
  for await (const { event } of readAudit(join(gateway.dataDirectory, 'evidence'), { types: [type] }))
    found.push(event);
  return found;
}

/** The SCRAM verifier that the server keeps: it changes with the password, and with nothing else. */
async function verifier(): Promise<unknown> {
  const [row] = await gateway.world.postgres.query(`select rolpassword from pg_authid where rolname = '${SHOP_USER}'`);
  return row?.['rolpassword'];
}

/** Without the time that a command takes to start. */
function adoptOverSocket(target: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: join(gateway.dataDirectory, 'sallyport.sock'),
        path: `/v1/targets/${target}/adopt`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += String(chunk);
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify({ apply: true }));
  });
}

const works = async (pass: Awaited<ReturnType<Gateway['person']>>, target = 'shop') => {
  const client = await gateway.client(pass, target);
  const { rows } = await client.query('select 1 as one');
  await client.end();
  return rows;
};

describe('targets adopt', () => {
  it('says what it would do and who else uses the role, and changes nothing', async () => {
    const before = await verifier();
    const other = await gateway.direct();
    await other.query(`set application_name = 'nightly-export'`);
    const mine = await gateway.client(await gateway.person('alice'));
    await mine.query('select 1 as one');
    const { code, out, err } = await run('shop');
    await other.end();
    await mine.end();
    expect(code).toBe(0);
    expect(out).toContain(`The role ${SHOP_USER} at ${gateway.world.postgres.host}:${gateway.world.postgres.port}`);
    expect(out).toContain('logs in with the password in file:');
    expect(out).toContain('also used by lab');
    expect(out).toContain('1 session from 127.0.0.1 (nightly-export)');
    expect(out).not.toContain('sallyport:');
    expect(err).toContain('Nothing was done');
    expect(await verifier()).toBe(before);
    expect(await events('target.adopted')).toEqual([]);
    await (await gateway.direct()).end();
  });

  it('takes the password over: old copies die, live and new sessions go on, and the way back is open', async () => {
    const alice = await gateway.person('alice');
    const live = await gateway.client(alice);
    await live.query('select 1 as one');
    const other = await gateway.direct();
    const ended = new Promise((resolve) => other.on('error', resolve));

    const { code, out } = await run('shop', '--yes', '--end-others');
    expect(out).toContain('Adopted. Only the gateway logs in');
    expect(out).toContain('Ended of others: 1 session.');
    expect(code).toBe(0);
    await expect(ended).resolves.toMatchObject({ code: '57P01' });
    await expect(gateway.direct()).rejects.toMatchObject({ code: '28P01' });

    expect((await live.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await live.end();
    expect(await works(alice)).toEqual([{ one: 1 }]);
    expect(await works(alice, 'lab')).toEqual([{ one: 1 }]); // the same role at the same server

    expect((await events('target.adopted')).map(({ stage, by, user }) => [stage, by, user])).toEqual([
      ['begins', 'local socket', SHOP_USER],
      ['done', 'local socket', SHOP_USER],
    ]);

    const undone = await run('shop', '--undo', '--yes');
    expect(undone.out).toContain('uses what the configuration says again');
    await (await gateway.direct()).end();
    expect(await works(alice)).toEqual([{ one: 1 }]);
    expect((await events('target.adopt-undone')).map(({ stage }) => stage)).toEqual(['begins', 'done']);
  });

  it('lets one of two through at the same time', async () => {
    const answers = await Promise.all([adoptOverSocket('shop'), adoptOverSocket('lab')]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(answers.map(({ text }) => text).join()).toContain('somebody');
    expect(await works(await gateway.person('alice'))).toEqual([{ one: 1 }]);
    expect((await run('shop', '--undo', '--yes')).code).toBe(0);
  });

  it('survives a restart, and forgets when told', async () => {
    expect((await run('shop', '--yes')).code).toBe(0);
    await gateway.running.close();
    gateway.running = await serve({ config: gateway.world.config, log: SILENT });
    const alice = await gateway.person('alice');
    expect(await works(alice)).toEqual([{ one: 1 }]);
    expect((await run('shop', '--forget', '--yes')).out).toContain('Forgotten');
    const undo = await run('shop', '--undo', '--yes');
    expect(undo).toMatchObject({ code: 1, err: expect.stringContaining('forgotten') });
    expect(await works(alice)).toEqual([{ one: 1 }]);
  });

  it('goes with what the configuration says where somebody changed the password by hand', async () => {
    await gateway.world.postgres.query(`alter role ${SHOP_USER} password '${SHOP_PASSWORD}'`);
    const alice = await gateway.person('alice');
    await expect(works(alice)).rejects.toThrow(); // what is sealed is not right any more
    expect((await run('shop', '--undo', '--yes')).out).toContain('Somebody had changed the password');
    expect(await works(alice)).toEqual([{ one: 1 }]);
  });

  it('is for administrators', async () => {
    const env = { SALLYPORT_PASS: (await gateway.person('alice')).pass };
    const { code, err } = await sallyport(['targets', 'adopt', 'shop'], { cwd: gateway.directory, env });
    expect(code).toBe(1);
    expect(err).toContain('gateway-admin');
  });

  it('gives the server a verifier and never a password, and no event holds either', async () => {
    const [row] = await gateway.world.postgres.query('select pg_read_file(pg_current_logfile()) as log');
    const altered = [...String(row?.['log']).matchAll(/statement: alter role current_user password (\S+)/g)];
    expect(altered.length).toBeGreaterThan(3);
    for (const [, said] of altered) expect(said).toMatch(/^E'SCRAM-SHA-256\$4096:[\w+/=]+\$[\w+/=]+:[\w+/=]+'$/);
    const folder = join(gateway.dataDirectory, 'evidence');
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toMatch(/SCRAM-SHA-256\$/);
    }
  });
});

describe('a server that', () => {
  let other: Gateway | undefined;
  afterEach(async () => {
    await other?.stop();
    other = undefined;
  });

  const adopt = (...args: string[]) =>
    sallyport(['targets', 'adopt', 'shop', ...args], { cwd: other?.directory ?? '' });

  it('asked for MD5 goes over to SCRAM, and back', async () => {
    other = await Gateway.start({ postgres: { auth: 'md5' } });
    expect((await adopt('--yes')).out).toContain('Adopted. Only the gateway');
    const client = await other.client(await other.person('alice'));
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    await expect(other.direct()).rejects.toMatchObject({ code: '28P01' });
    expect((await adopt('--undo', '--yes')).code).toBe(0);
    await (await other.direct()).end();
  });

  it('asks nobody for a password is told of', async () => {
    other = await Gateway.start({ postgres: { auth: 'trust' } });
    expect((await adopt('--yes')).out).toContain('lets shop_app in with the old password, too');
  });
});
