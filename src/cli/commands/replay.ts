import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { idOf } from '../id.ts';
import { number, object } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, print, style } from '../output.ts';

interface ReplayOptions extends GatewayOptions {
  readonly speed: number;
  readonly instant?: boolean;
  readonly json?: boolean;
}

/** Nobody watches a pause: the longest one that is played, at speed 1. */
const LONGEST_PAUSE_MS = 5000;

export function addReplay(program: Command): void {
  jsonOption(gatewayOptions(program.command('replay')))
    .argument('<session>', 'its id')
    .description('Show what a session asked and was told, as it was masked, at the speed it happened.')
    .option('--speed <factor>', 'so many times as fast', parseFactor, 1)
    .option('--instant', 'without pauses')
    .addHelpText(
      'after',
      '\nThat a recording was watched is in the audit log.\n\nExamples:\n  $ sallyport replay SESSION --speed 10\n',
    )
    .action(replay);
}

async function replay(session: string, options: ReplayOptions): Promise<void> {
  const id = idOf(session, 'session');
  const gateway = await findGateway(options);
  const { Player } = await import('../replay/player.ts');
  const player = new Player();
  let before: number | undefined;
  for await (const value of gateway.lines(`/v1/sessions/${id}/recording`)) {
    if (options.json) {
      print(JSON.stringify(value));
      continue;
    }
    const entry = object(value);
    const at = number(entry['at']);
    if (!options.instant && at !== undefined) {
      const pause = Math.min(Math.max(0, at - (before ?? at)), LONGEST_PAUSE_MS) / options.speed;
      before = at;
      if (pause >= 1) await new Promise((done) => setTimeout(done, pause));
    }
    for (const line of player.play(entry)) print(line);
  }
  if (options.json) return;
  for (const line of player.end()) print(line);
  note(style.dim('End of the recording.'));
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (!(factor > 0 && factor <= 1_000_000)) throw new InvalidArgumentError('Write a number above 0.');
  return factor;
}
