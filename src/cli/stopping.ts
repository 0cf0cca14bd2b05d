/** A terminal signals the launcher and this process, and the launcher passes its own on: that is one wish, not two. */
const SAME_WISH_MS = 1000;

/**
 * Resolves at the first signal to stop. A later one does not wait for things to be closed in order: it ends the
 * process.
 */
export function untilStopped(): Promise<'stopped'> {
  return new Promise((resolve) => {
    let since: number | undefined;
    const stop = (): void => {
      if (since !== undefined && performance.now() - since > SAME_WISH_MS) process.exit(1);
      since ??= performance.now();
      resolve('stopped');
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}
