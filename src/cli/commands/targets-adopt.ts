import type { Command } from 'commander';
import { doneText, planText } from '../adoption.ts';
import { Failure } from '../failure.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { object } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, print, printJson, style } from '../output.ts';

interface AdoptOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly endOthers?: boolean;
  readonly undo?: boolean;
  readonly forget?: boolean;
}

export function addAdopt(targets: Command): void {
  jsonOption(gatewayOptions(targets.command('adopt')))
    .argument('<target>', 'its name')
    .description('Take over the password of a target’s role: rotate it to one that only the gateway has.')
    .option('--yes', 'do it; without, it is only said what would be done')
    .option('--end-others', 'afterwards, end sessions of the role that are not the gateway’s')
    .option('--undo', 'give the role back the password it had before')
    .option('--forget', 'forget that password: there is no way back then')
    .addHelpText(
      'after',
      `
The new password is made by the gateway, sealed in its store before the server learns of it, and never shown. The server
is given its SCRAM-SHA-256 verifier only. Sessions that are open stay open; copies of the old password log in no more.
The old one is kept sealed for --undo until --forget, or until the next adoption.
`,
    )
    .action(adopt);
}

async function adopt(name: string, options: AdoptOptions): Promise<void> {
  const { json, yes = false, endOthers, undo, forget } = options;
  if (undo && forget) throw new Failure('--undo and --forget are two things', { exit: 2 });
  if (endOthers && (undo || forget)) throw new Failure('--end-others goes with an adoption', { exit: 2 });
  const doing = undo ? 'undo' : forget ? 'forget' : 'adopt';
  const wish = { do: doing, apply: yes, ...(endOthers ? { end_others: true } : {}) };
  const gateway = await findGateway(options);
  const answer = object(await gateway.post(`/v1/targets/${encodeURIComponent(name)}/adopt`, wish));
  if (json) return printJson(answer);
  const plan = object(answer['plan']);
  if (yes) return print(doneText(doing, object(answer['done']), plan));
  print(planText(doing, plan, endOthers === true));
  note(`Nothing was done. ${style.cyan('--yes')} does it.`);
}
