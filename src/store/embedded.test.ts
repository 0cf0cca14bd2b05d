import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isRunning } from '../audit/lock.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';
import { openStore } from './store.ts';
import { realClock, scratchDirectory, TEST_KEY } from './testing/scratch.ts';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function data(...below: string[]): string {
  const scratch = scratchDirectory();
  cleanups.push(scratch.remove);
  chmodSync(scratch.path, 0o711);
  return join(scratch.path, ...below);
}

async function started(path: string): Promise<EmbeddedServer> {
  const server = await startEmbedded(path);
  cleanups.push(() => server.stop());
  return server;
}

/** An orphan is reaped by whoever inherits it, or stays a zombie. */
const hasEnded = (pid: number): boolean => !isRunning(pid);
const pidOf = (path: string): number =>
  Number(readFileSync(join(path, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]);

describe('the embedded server', () => {
  it('is a child with a directory closed to others, on a socket only, and ends with its gateway', async () => {
    const path = data('var');
    const server = await startEmbedded(path);
    const { pid } = server;
    expect(statSync(join(path, 'postgres')).mode & 0o777).toBe(0o700);
    expect(statSync(server.connection.host).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(path, 'postgres/cluster/postmaster.pid'), 'utf8')).not.toMatch(/127\.0\.0\.1|\*/);
    expect(existsSync(join(path, 'postgres/postgres.log'))).toBe(true);
    await server.stop();
    expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
    expect(existsSync(join(path, 'postgres/cluster/postmaster.pid'))).toBe(false);
  });

  it('serves one gateway: a second one is told the pid of the first', async () => {
    const path = data();
    await started(path);
    await expect(startEmbedded(path)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`process ${process.pid}`),
    });
  });

  it('keeps what was acknowledged when its gateway is killed, and lets one next gateway take over', async () => {
    const path = data();
    const gateway = spawn(process.execPath, [join(import.meta.dirname, 'testing/gateway.ts'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(gateway, 'exit');
    const kept: string[] = [];
    for await (const line of createInterface({ input: gateway.stdout })) {
      kept.push(line);
      if (kept.length === 20) gateway.kill('SIGKILL');
    }
    await gone;
    const orphan = pidOf(path);
    expect(hasEnded(orphan)).toBe(false);
    const open = () => openStore({ at: { embedded: path }, integrityKey: TEST_KEY, clock: realClock });
    const starts = await Promise.allSettled([open(), open()]);
    const stores = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    expect(stores, JSON.stringify(starts)).toHaveLength(1);
    expect(hasEnded(orphan)).toBe(true);
    for (const id of kept) await expect(stores[0]?.grants.load(id)).resolves.toBeDefined();
    await stores[0]?.close();
  });

  it('comes back when it is killed under its gateway', async () => {
    const path = data();
    const store = await openStore({ at: { embedded: path }, integrityKey: TEST_KEY, clock: realClock });
    cleanups.push(() => store.close());
    process.kill(pidOf(path), 'SIGKILL');
    await vi.waitFor(() => expect(store.now()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' }));
    await vi.waitFor(() => store.now(), { timeout: 15_000, interval: 100 });
    await vi.waitFor(() => expect(store.feed.age()).toBeLessThan(1000), 5000);
  });

  it('does not take a stale pid file for a running server, whoever has the pid now', async () => {
    const path = data();
    const server = await startEmbedded(path);
    await server.stop();
    writeFileSync(join(path, 'postgres/cluster/postmaster.pid'), `${process.pid}\n${path}\n`);
    await started(path);
    expect(pidOf(path)).not.toBe(process.pid);
  });

  it('starts over after an interrupted initdb, and refuses the cluster of another major', async () => {
    const path = data();
    mkdirSync(join(path, 'postgres/cluster.new/base'), { recursive: true });
    writeFileSync(join(path, 'postgres/cluster.new/PG_VERSION'), '18');
    const server = await startEmbedded(path);
    await server.stop();
    writeFileSync(join(path, 'postgres/cluster/PG_VERSION'), '12\n');
    await expect(startEmbedded(path)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: /made by PostgreSQL 12/,
    });
  });

  it('says what the server said when it does not start', async () => {
    const path = data();
    await (await startEmbedded(path)).stop();
    writeFileSync(join(path, 'postgres/cluster/postgresql.conf'), 'no_such_setting = 1\n');
    await expect(startEmbedded(path)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: /no_such_setting/ });
  });

  it('has its socket elsewhere when the data directory has a long path', async () => {
    const path = data('a-long-name'.repeat(9));
    const server = await started(path);
    expect(server.connection.host.length).toBeLessThan(100);
    expect(statSync(server.connection.host).mode & 0o777).toBe(0o700);
  });

  it.runIf(process.getuid?.() === 0)('works below a directory that only root can enter', async () => {
    const path = data('closed', 'var');
    mkdirSync(join(path, '..'), { mode: 0o700 });
    chmodSync(join(path, '..'), 0o700);
    const server = await started(path);
    const elsewhere = realpathSync(join(path, 'postgres'));
    cleanups.unshift(() => rmSync(elsewhere, { recursive: true, force: true }));
    expect(server.pid).toBeDefined();
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });
});
