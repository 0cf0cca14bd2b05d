import { loadSigner } from '../signing.ts';
import { openEvidence } from '../writer.ts';
import { anEntry, anEvent, openSealer, realClock } from './scratch.ts';

// A writer to be killed: appends from several tasks at once and prints the number of each acknowledged event.
const [dir = '', keys = '', quick = ''] = process.argv.slice(2);
const writer = await openEvidence({
  dir,
  node: 'gw-1',
  worker: 1,
  durability: 'process',
  quickWrites: quick === 'quick',
  sealer: openSealer,
  signer: loadSigner(keys),
  clock: realClock,
  alarm: () => undefined,
  segmentBytes: 20_000,
  checkpointEvery: 20,
});
let n = 0;
const run = Math.random().toString(36).slice(2);
await Promise.all(
  Array.from({ length: 5 }, async (_, task) => {
    for (;;) {
      n += 1;
      const mine = n;
      void writer.record(anEntry(mine, `s${task}`));
      await writer.audit(anEvent(mine, { run }));
      process.stdout.write(`${JSON.stringify([run, mine])}\n`);
    }
  }),
);
