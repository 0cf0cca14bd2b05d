import { dirname, join } from 'node:path';
import { print, style } from '../output.ts';
import { logIn } from './passes.ts';
import type { Stage } from './stage.ts';
import { say } from './voice.ts';

/** Everything stays up: commands to paste into another terminal. */
export async function whatToTry(stage: Stage): Promise<void> {
  const { pass } = await logIn(stage, 'alice');
  const root = dirname(dirname(dirname(import.meta.dirname)));
  say('');
  say('It all stays up until Ctrl-C. In another terminal:');
  block([
    `alias sallyport='node ${join(root, 'bin', 'sallyport.js')}'`,
    `export SALLYPORT_CONFIG=${stage.world.config}`,
  ]);
  say('As Alice, with a fresh pass for an hour:');
  block([
    `export SALLYPORT_PASS=${pass}`,
    `sallyport connect shop -- psql -c 'table customers'`,
    `sallyport connect shop -- psql`,
    `sallyport pass narrow --as helper --target shop --action select`,
    `sallyport explain --on shop 'select max(email) from customers'`,
    `sallyport targets`,
  ]);
  say('As the administrator of this machine, over the local socket:');
  block([
    `unset SALLYPORT_PASS`,
    `sallyport pass tree`,
    `sallyport sessions --all`,
    `sallyport explain --as carol --group contractors --on shop 'table orders'`,
    `sallyport audit tail --follow`,
    `sallyport audit verify`,
  ]);
  say(`Policies are in ${join(stage.world.directory, 'policies')}: change one and it is in force at once.`);
}

function block(lines: readonly string[]): void {
  print('');
  for (const line of lines) print(`      ${style.cyan(line)}`);
  print('');
}
