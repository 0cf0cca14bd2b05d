import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { addApprovals } from './commands/approvals.ts';
import { addAudit } from './commands/audit.ts';
import { addCheck } from './commands/check.ts';
import { addConnect } from './commands/connect.ts';
import { addDeliveries } from './commands/deliveries.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplain } from './commands/explain.ts';
import { addInit } from './commands/init.ts';
import { addLogin } from './commands/login.ts';
import { addPass } from './commands/pass.ts';
import { addReplay } from './commands/replay.ts';
import { addRequest } from './commands/request.ts';
import { addRevocations } from './commands/revocations.ts';
import { addRevoke } from './commands/revoke.ts';
import { addServe } from './commands/serve.ts';
import { addSessions } from './commands/sessions.ts';
import { addTargets } from './commands/targets.ts';
import { style } from './output.ts';

/**
 * The command line: one file per command in commands/. It holds no logic of the gateway's own. What it shows comes
 * from a gateway's API (client.ts), over the local socket of this folder's gateway or over HTTPS, except what must
 * work without one: init, check, doctor and audit verify. Results go to stdout, everything about them to stderr; what came
 * from elsewhere is cleaned before a terminal sees it. A failure is a sentence and what to do next, never a stack.
 */
export function program(): Command {
  const command = new Command('sallyport')
    .description('A layer-7 access gateway for nested agents.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for more)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${style.red('error')} ${text.replace(/^error: /, '')}`) })
    .addHelpText('after', EXAMPLES);
  for (const add of [addInit, addCheck, addServe, addDemo, addLogin, addPass, addConnect]) add(command);
  for (const add of [addTargets, addApprovals, addRequest, addSessions, addRevoke, addRevocations]) add(command);
  for (const add of [addReplay, addExplain, addAudit, addDeliveries, addDoctor]) add(command);
  // Subcommands made by the functions above do not inherit what was set before they were added.
  for (const inner of everyCommand(command)) inner.exitOverride().showHelpAfterError('(add --help for more)');
  return command;
}

const EXAMPLES = `
Getting started:
  $ sallyport demo                         the whole story on this machine, in a minute
  $ sallyport init && sallyport check      write a configuration, and check it
  $ sallyport serve                        run the gateway
  $ sallyport login                        log in as yourself
  $ sallyport connect shop -- psql         open a target with your own client

Environment:
  SALLYPORT_PASS     a pass to use instead of the stored login
  SALLYPORT_URL      the gateway, where none runs in this folder
  SALLYPORT_CA       PEM file of the authority that signed its certificate
  SALLYPORT_CONFIG   the configuration file, instead of ./sallyport.yaml
`;

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((inner) => [inner, ...everyCommand(inner)]);
}

function version(): string {
  const file = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
