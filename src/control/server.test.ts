import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as plain } from 'node:http';
import { request as tls } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHealth } from './health.ts';
import { type Control, startControl } from './server.ts';
import { localSocketPath } from './socket-path.ts';
import { testCertificate } from './testing/certificate.ts';
import { FakeControl, grantOf } from './testing/fakes.ts';

let pem: ReturnType<typeof testCertificate>;
let fake: FakeControl;
let folder: string;
let control: Control;

const start = (): Promise<Control> =>
  startControl({
    ports: fake.ports(),
    https: { host: '127.0.0.1', port: 0 },
    ...pem,
    socket: localSocketPath(folder),
    onFault: () => undefined,
  });

beforeAll(() => {
  pem = testCertificate();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
  fake = new FakeControl();
  fake.add('alice', grantOf('alice'));
  control = await start();
});
afterEach(async () => {
  await control.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(where: 'https' | 'local', path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { path, headers, agent: false };
    const request =
      where === 'local'
        ? plain({ ...options, socketPath: localSocketPath(folder) })
        : tls({
            ...options,
            host: '127.0.0.1',
            port: control.https.port,
            servername: 'localhost',
            ca: pem.certificate,
          });
    request.once('error', reject);
    request.once('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    request.end();
  });
}

describe('the control plane', () => {
  it('asks for a pass on the port, and for nothing on the local socket', async () => {
    expect((await ask('https', '/v1/whoami')).status).toBe(401);
    expect((await ask('https', '/v1/whoami', { authorization: 'Bearer alice' })).status).toBe(200);
    expect((await ask('local', '/v1/whoami')).body).toContain('local socket');
  });

  it('does not take a header for the local socket', async () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-sallyport-local']) {
      expect((await ask('https', '/v1/whoami', { [header]: '127.0.0.1' })).status).toBe(401);
    }
  });

  it('opens the local socket to its owner only', () => {
    expect(statSync(localSocketPath(folder)).mode & 0o777).toBe(0o600);
  });

  it('takes over a socket that a dead gateway left, and never a living one’s', async () => {
    await expect(start()).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await ask('local', '/v1/whoami')).status).toBe(200);

    await control.close();
    writeFileSync(localSocketPath(folder), '');
    control = await start();
    expect((await ask('local', '/v1/whoami')).status).toBe(200);
  });

  it('refuses a path the system would cut', async () => {
    const socket = join(folder, 'x'.repeat(120), 'sallyport.sock');
    const options = { ports: fake.ports(), https: control.https, ...pem, socket, onFault: () => undefined };
    await expect(startControl(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('lets go of the port when the other cannot be had', async () => {
    const socket = `${localSocketPath(folder)}2`;
    const taken = { ports: fake.ports(), https: control.https, ...pem, socket, onFault: () => undefined };
    await expect(startControl(taken)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('in use'),
    });
    const second = await startControl({ ...taken, https: { host: '127.0.0.1', port: 0 } });
    await second.close();
  });

  it('closes while somebody follows the audit log', async () => {
    fake.follow = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    fake.archived = [{ v: 1, type: 'node.start', at: 'x' }];
    const request = plain({ socketPath: localSocketPath(folder), path: '/v1/audit?follow=true' });
    request.on('error', () => undefined);
    request.end();
    await new Promise<void>((resolve) =>
      request.once('response', (response) => response.once('data', () => resolve()).on('error', () => undefined)),
    );
    await control.close();
    control = await start();
  });

  it('outlives bytes that are not HTTP', async () => {
    for (const where of [{ port: control.https.port, host: '127.0.0.1' }, { path: localSocketPath(folder) }]) {
      await new Promise<void>((resolve) => {
        const socket = connect(where);
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.resume();
        socket.end(Buffer.from('\x16\x03\x01\xff\xffGET \0\r\n\r\n'));
      });
    }
    expect((await ask('local', '/v1/whoami')).status).toBe(200);
    expect((await ask('https', '/v1/login')).status).toBe(200);
  });
});

describe('health', () => {
  it('says ready, not ready, and nothing else', async () => {
    let ready = true;
    const bypass = { sessions: 2, targets: 1, unseen: 0 };
    const metrics = {
      contentType: 'text/plain',
      text: async () => {
        if (!ready) throw new Error('secret detail');
        return 'up 1\n';
      },
    };
    const answer = async () => {
      if (!ready) throw new Error('secret detail');
      return { ready, checks: [{ name: 'store', ok: true }], bypass };
    };
    const health = await startHealth({ host: '127.0.0.1', port: 0 }, answer, metrics);
    const get = (path: string) => fetch(`http://127.0.0.1:${health.address.port}${path}`);
    expect((await get('/healthz')).status).toBe(200);
    expect(await (await get('/readyz')).json()).toEqual({
      status: 'ready',
      checks: [{ name: 'store', ok: true }],
      bypass,
    });
    expect(await (await get('/metrics')).text()).toBe('up 1\n');
    ready = false;
    const not = await get('/readyz');
    expect(not.status).toBe(503);
    expect(await not.text()).not.toContain('secret');
    expect((await get('/metrics')).status).toBe(500);
    expect(await (await get('/metrics')).text()).not.toContain('secret');
    expect((await get('/metricsx')).status).toBe(404);
    await health.close();
  });
});
