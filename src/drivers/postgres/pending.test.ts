import { describe, expect, it } from 'vitest';
import { Pending } from './pending.ts';

function close(pending: Pending, log: string[], name: string): void {
  pending.push({ kind: 'close', undo: () => log.push(`undo ${name}`), settled: (how) => log.push(`${name} ${how}`) });
}

describe('the queue of what is not answered', () => {
  it('settles in order', () => {
    const pending = new Pending();
    const log: string[] = [];
    close(pending, log, 'a');
    close(pending, log, 'b');
    pending.shift();
    pending.shift();
    expect(log).toEqual(['a answered', 'b answered']);
    expect(pending.length).toBe(0);
  });

  it('skips to the next Sync as the server does, undoing in reverse', () => {
    const pending = new Pending();
    const log: string[] = [];
    close(pending, log, 'a');
    close(pending, log, 'b');
    pending.push({ kind: 'sync' });
    close(pending, log, 'c');
    pending.skipToSync();
    expect(log).toEqual(['undo b', 'undo a', 'a skipped', 'b skipped']);
    expect(pending.head?.kind).toBe('sync');
    expect(pending.length).toBe(2);
  });

  it('skips everything when no Sync was sent yet', () => {
    const pending = new Pending();
    const log: string[] = [];
    close(pending, log, 'a');
    pending.skipToSync();
    expect(pending.length).toBe(0);
  });

  it('takes nothing more once the connection is gone, and settles it all', () => {
    const pending = new Pending();
    const log: string[] = [];
    close(pending, log, 'a');
    pending.abandon('57P01');
    close(pending, log, 'b');
    expect(log).toEqual(['a skipped', 'b skipped']);
    expect(pending.length).toBe(0);
  });

  it('keeps its order over thousands of entries', async () => {
    const pending = new Pending();
    const seen: number[] = [];
    for (let i = 0; i < 5000; i++) {
      pending.push({ kind: 'sync', settled: () => seen.push(i) });
      if (i % 3 === 0) pending.shift();
    }
    const drained = pending.drained();
    while (pending.length > 0) pending.shift();
    await drained;
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });
});
