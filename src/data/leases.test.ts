import { describe, expect, it } from 'vitest';
import { targetAt } from '../core/testing/target.ts';
import { Leases } from './leases.ts';

const target = targetAt({ host: 'x', port: 1 }, { connections: { most: 2, queue: 1 } });
const never = new AbortController().signal;

describe('the places of a target', () => {
  it('go to whoever waited, and those who find no room are told who holds them', async () => {
    const leases = new Leases();
    const release = await leases.take(target, 'alice > ci', never);
    await leases.take(target, 'bob', never);
    let given = false;
    const waiting = leases.take(target, 'carol', never).then(() => {
      given = true;
    });
    await expect(leases.take(target, 'dave', never)).rejects.toMatchObject({
      code: 'TARGET_BUSY',
      message: expect.stringMatching(
        /all its 2 connections in use and 1 sessions waiting; held by alice > ci \(1\), bob \(1\)/,
      ),
    });
    expect(given).toBe(false);
    release();
    release();
    await waiting;
    expect(given).toBe(true);
    await expect(
      Promise.race([leases.take(target, 'dave', never), new Promise((resolve) => setTimeout(resolve, 20))]),
    ).resolves.toBeUndefined();
  });

  it('are not waited for by a session that ended', async () => {
    const leases = new Leases();
    const ending = new AbortController();
    await leases.take(target, 'a', never);
    const release = await leases.take(target, 'b', never);
    const waiting = leases.take(target, 'c', ending.signal);
    ending.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    release();
    await leases.take(target, 'd', never);
  });
});
