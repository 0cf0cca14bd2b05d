import { Untrue } from './demo/check.ts';
import { type Stage, setStage } from './demo/stage.ts';
import { play } from './demo/story.ts';
import { whatToTry } from './demo/tries.ts';
import { say, shown, title } from './demo/voice.ts';
import { note, style } from './output.ts';
import { untilStopped } from './stopping.ts';

/**
 * The whole story on one machine: a world (database, identity provider), a gateway in it, people and agents in front
 * of it. Every step is checked against what programs really printed. With `once` it ends then; otherwise everything
 * stays up until it is interrupted. Gives the exit code.
 */
export async function demo({ once }: { readonly once: boolean }): Promise<number> {
  const stopping = untilStopped();
  const began = performance.now();
  title('Sallyport', 'A person, a CI job, a helper, and a real PostgreSQL with a gateway in between.');
  const setting = setStage();
  // What is being set up when somebody interrupts is taken down all the same.
  if ((await Promise.race([setting.then(() => 'set'), stopping])) !== 'set') return await takeDown(await setting);
  const stage = await setting;
  try {
    const told = await Promise.race([tell(stage), stopping.then(() => undefined)]);
    if (told === undefined) return INTERRUPTED;
    if (!told) return 1;
    say('');
    say(`Every step was as it should be, after ${((performance.now() - began) / 1000).toFixed(1)} s.`);
    if (once) return 0;
    await whatToTry(stage);
    await stopping;
    note(`\n    ${style.dim('Stopping, and removing everything.')}`);
    return 0;
  } finally {
    await stage.close();
  }
}

const INTERRUPTED = 130; // as a shell counts SIGINT

async function takeDown(stage: Stage): Promise<number> {
  await stage.close();
  return INTERRUPTED;
}

/** True when all of it went as told. */
async function tell(stage: Stage): Promise<boolean> {
  let step = 'the beginning';
  try {
    await play(stage, (name) => {
      step = name;
    });
    return true;
  } catch (thrown) {
    note(`\n${style.red('failed')} at step: ${step}`);
    note(thrown instanceof Error ? thrown.message : String(thrown));
    if (thrown instanceof Untrue) shown(thrown.seen);
    for (const trouble of stage.troubles.slice(-10)) note(style.dim(trouble));
    return false;
  }
}
