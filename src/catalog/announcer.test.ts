import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Announcer } from './announcer.ts';

function open(tell: () => Promise<void>): { announcer: Announcer; problems: unknown[] } {
  const problems: unknown[] = [];
  return { announcer: new Announcer({ tell, onProblem: (one) => problems.push(one), retryAfter: 5 }), problems };
}

it('tells at once what changed, and together what changes meanwhile', async () => {
  let release: () => void = () => undefined;
  const tell = vi.fn(() => new Promise<void>((resolve) => (release = resolve)));
  const { announcer } = open(tell);
  for (let n = 0; n < 100; n++) announcer.changed('shop', 'a');
  announcer.changed('shop', 'b');
  expect(tell.mock.calls).toEqual([
    ['shop', 'a'],
    ['shop', 'b'],
  ]);
  release();
  await sleep(1);
  expect(tell).toHaveBeenCalledTimes(2);
});

it('tells once more when something changed while it was told', async () => {
  const told: (() => void)[] = [];
  const { announcer } = open(() => new Promise<void>((resolve) => told.push(resolve)));
  announcer.changed('shop', 'a');
  announcer.changed('shop', 'a');
  announcer.changed('shop', 'a');
  told[0]?.();
  await vi.waitFor(() => expect(told).toHaveLength(2));
  told[1]?.();
  await sleep(1);
  expect(told).toHaveLength(2);
});

it('tries again until it is told, and complains once', async () => {
  const tell = vi.fn<() => Promise<void>>().mockResolvedValue();
  for (let n = 0; n < 3; n++) tell.mockRejectedValueOnce(new Error('store'));
  const { announcer, problems } = open(tell);
  announcer.changed('shop', 'a');
  await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(4));
  await sleep(20);
  expect(tell).toHaveBeenCalledTimes(4);
  expect(problems).toHaveLength(1);
});

it('does not take its own word for that of another', async () => {
  const { announcer } = open(() => Promise.resolve());
  announcer.changed('shop', 'a');
  expect(announcer.heard('shop', 'b')).toBe(true);
  expect(announcer.heard('shop', 'a')).toBe(false);
  expect(announcer.heard('shop', 'a')).toBe(true);
});

it('does not hold up its end', () => {
  const { announcer } = open(() => Promise.reject(new Error('store')));
  announcer.changed('shop', 'a');
  announcer.close();
});
