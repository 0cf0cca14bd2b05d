import { Untrue } from './demo/check.ts';
import { type Stage, setStage } from './demo/stage.ts';
import { play } from './demo/story.ts';
import { whatToTry } from './demo/tries.ts';
import { say, shown, title } from './demo/voice.ts';
import { note, print, style } from './output.ts';
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
  const early = await Promise.race([setting.then(() => 'set'), stopping]);
  const stage = await setting;
  try {
    if (early === 'stopped') return INTERRUPTED;
    const failure = await Promise.race([tell(stage), stopping]);
    if (failure === 'stopped') return INTERRUPTED;
    if (failure !== undefined) return report(failure, stage);
    print('');
    say(`Every step was as it should be, after ${((performance.now() - began) / 1000).toFixed(1)} s.`);
    if (once) return 0;
    await whatToTry(stage);
    await stopping;
    return 0;
  } finally {
    if (!once) note(`\n    ${style.dim('Stopping, and removing everything.')}`);
    await stage.close();
  }
}

const INTERRUPTED = 130; // as a shell counts SIGINT

interface Failed {
  readonly step: string;
  readonly thrown: unknown;
}

/** Undefined when all of it went as told. */
async function tell(stage: Stage): Promise<Failed | undefined> {
  let step = '';
  try {
    await play(stage, (name) => {
      step = name;
    });
    return undefined;
  } catch (thrown) {
    return { step, thrown };
  }
}

function report({ step, thrown }: Failed, { troubles }: Stage): number {
  note(`\n${style.red('failed')} at step "${step}": ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  if (thrown instanceof Untrue) shown(thrown.seen);
  for (const trouble of troubles.slice(-10)) note(style.dim(trouble));
  return 1;
}
