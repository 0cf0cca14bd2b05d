import { closeSync, openSync } from 'node:fs';
import { freshScope, snapshotOf } from '../../../core/testing/catalog.ts';
import { ReadingProcess } from '../process.ts';

// Loses its reading process while the system lets it open nothing, and says what came of each statement. Started with
// few descriptors to open.

const snapshot = snapshotOf([]);
const reading = new ReadingProcess();
const alive = setInterval(() => {}, 1_000);
const read = async (under: typeof freshScope): Promise<void> => {
  const said = await reading.read('select 1', under, snapshot).then(
    () => 'read',
    ({ code }: { readonly code: string }) => code,
  );
  process.stdout.write(`${said}\n`);
};

await read(freshScope);
const opened: number[] = [];
try {
  for (;;) opened.push(openSync('/dev/null', 'r'));
} catch {
  // That was the last.
}
await read({ ...freshScope, searchPath: null } as never);
await read(freshScope);
await read(freshScope);
for (const each of opened) closeSync(each);
await read(freshScope);
await reading.close();
clearInterval(alive);
