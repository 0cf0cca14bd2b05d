import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noticeOf } from '../approvals/notify/notice.ts';
import { aRequest } from '../approvals/testing/samples.ts';
import { type Control, startControl } from '../control/server.ts';
import { localSocketPath } from '../control/socket-path.ts';
import { testCertificate } from '../control/testing/certificate.ts';
import { FakeControl, idOf } from '../control/testing/fakes.ts';
import { sallyport } from './testing/run.ts';

const fake = new FakeControl();
const DEAD = idOf('d0');
let owner: string;
let control: Control;

beforeAll(async () => {
  owner = mkdtempSync(join(tmpdir(), 'sallyport-owner-'));
  mkdirSync(join(owner, 'var'), { mode: 0o700 });
  control = await startControl({
    ports: fake.ports(),
    https: { host: '127.0.0.1', port: 0 },
    ...testCertificate(),
    socket: localSocketPath(join(owner, 'var')),
    onFault: () => undefined,
  });
  writeFileSync(join(owner, 'sallyport.yaml'), `version: 1\nurl: https://localhost:${control.https.port}\n`);
  for (const id of ['r1', 'r2']) fake.deliveries.notices.push(noticeOf('approval.made', aRequest({ id }), 0));
  await fake.deliveries.route(() => ['hook']);
  const [first] = await fake.deliveries.claim([{ destination: 'hook', free: 1 }], 0, 0);
  await fake.deliveries.settle(first!, { kind: 'dead', error: 'HTTP 500' });
});
afterAll(async () => {
  await control.close();
  rmSync(owner, { recursive: true, force: true });
});

const run = (...args: string[]) => sallyport(['deliveries', ...args], { cwd: owner });

it('lists what was given up, and all where that is asked for', async () => {
  const { out } = await run();
  expect(out.split('\n')).toHaveLength(3);
  expect(out).toMatch(new RegExp(`^${DEAD} +hook +approval.made +r1 +dead +1 .* HTTP 500$`, 'm'));
  expect(JSON.parse((await run('list', '--all', '--json')).out)).toHaveLength(2);
});

it('tries again what was given up, once', async () => {
  expect(await run('retry', DEAD)).toMatchObject({ code: 0, err: 'It is tried again.\n' });
  expect(await run('retry', DEAD)).toMatchObject({ code: 1, err: expect.stringContaining('is waiting') });
  expect(await run()).toMatchObject({ code: 0, out: '', err: expect.stringContaining('Nothing was given up') });
  expect(await run('retry', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('sallyport deliveries --all'),
  });
});
