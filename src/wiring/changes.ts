import type { Changes } from '../control/ports.ts';
import type { Feed } from '../core/feed.ts';

/** Changes to requests for approval, as the feed tells of them. */
export function changesOf(feed: Feed): Changes {
  const waiting = new Set<() => void>();
  const close = feed.subscribe((entry) => {
    if (entry.kind !== 'approval') return;
    for (const resolve of waiting) resolve();
  });
  return {
    next: (signal) =>
      new Promise<void>((resolve) => {
        const done = (): void => {
          waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        waiting.add(done);
        signal.addEventListener('abort', done);
        if (signal.aborted) done();
      }),
    close,
  };
}
