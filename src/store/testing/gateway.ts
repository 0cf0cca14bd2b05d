import { openStore } from '../store.ts';
import { aRoot, aVerifier } from './samples.ts';
import { realClock, TEST_KEY } from './scratch.ts';

// A gateway to be killed: opens the store of a data directory and prints the id of each grant once it is kept.
const store = await openStore({ at: { embedded: process.argv[2] ?? '' }, integrityKey: TEST_KEY, clock: realClock });
for (;;) {
  const grant = aRoot();
  await store.grants.insert(grant, aVerifier());
  process.stdout.write(`${grant.id}\n`);
}
