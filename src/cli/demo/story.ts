import { fridaApproves } from './approval.ts';
import { carolLeaves } from './contractor.ts';
import { auditHolds, erinWatches } from './evidence.ts';
import { aliceLogsIn, helperGetsPass, jobGetsPass, treeIsShown } from './passes.ts';
import {
  aliceDeletes,
  helperGoesTooFar,
  helperQueries,
  helperTriesATrick,
  jobReadsNotes,
  transactionKeepsMeaning,
} from './queries.ts';
import { aliceRevokes, jobWantsMore } from './revocation.ts';
import type { Stage } from './stage.ts';

/** The story, in order. `at` hears which step comes now. Throws at the first thing that is not as it should be. */
export async function play(stage: Stage, at: (step: string) => void): Promise<void> {
  at('login');
  const alice = await aliceLogsIn(stage);
  at('pass for the job');
  const job = await jobGetsPass(stage, alice);
  at('pass for the helper');
  const helper = await helperGetsPass(stage, job);
  at('tree');
  await treeIsShown(stage, alice);
  at('masked query');
  const open = await helperQueries(stage, helper);
  at('out of scope');
  await helperGoesTooFar(open);
  at('expression over a labelled column');
  await helperTriesATrick(open);
  at('detector');
  await jobReadsNotes(stage, job);
  at('guardrail');
  const own = await aliceDeletes(stage, alice);
  at('transaction');
  await transactionKeepsMeaning(stage, own);
  at('approval');
  const bob = await fridaApproves(stage);
  at('widening');
  await jobWantsMore(stage, job);
  at('revocation');
  await aliceRevokes(stage, { alice, job, helper, open, own });
  at('contractor');
  await carolLeaves(stage);
  at('replay');
  const session = await erinWatches(stage, helper, bob);
  at('audit');
  await auditHolds(stage, session);
}
