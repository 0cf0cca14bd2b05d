import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { browseAs } from '../../devtools/browser.ts';
import type { PersonId } from '../../devtools/people.ts';
import { browserLogin } from '../../identity/login.ts';
import { exchange, isPass, TOKEN_TYPE } from '../token.ts';
import { check } from './check.ts';
import type { Stage } from './stage.ts';
import { chapter, say, shown, typed } from './voice.ts';

// How rights come down: from a person to a job to a helper, less at each hop.

/** A pass and the node of the tree that it is for. */
export interface Held {
  readonly pass: string;
  readonly grant: string;
}

export async function aliceLogsIn(stage: Stage): Promise<Held> {
  chapter(1, 'Alice logs in');
  say(`Alice is in support. Her login is the real authorization code flow with PKCE at a real (development) identity
    provider; a script follows its pages and forms in the place of her browser.`);
  const alice = await logIn(stage, 'alice');
  const output = await sallyport(stage, alice, 'whoami');
  check('the gateway knows her, and gives her no rights over itself', output, /alice@shop\.example/, /no rights/);
  return alice;
}

/** What `sallyport login` does, with a script in the place of the browser. */
export async function logIn(stage: Stage, person: PersonId): Promise<Held> {
  const { issuer, clientId } = stage.world.idp;
  const open = async (url: string): Promise<void> => void (await browseAs(person, url));
  const { idToken } = await browserLogin({ issuer, clientId, open });
  const { pass, grant } = await exchange(stage.as(undefined), {
    subject_token: idToken,
    subject_token_type: `${TOKEN_TYPE}id_token`,
  });
  return { pass, grant };
}

export async function jobGetsPass(stage: Stage, alice: Held): Promise<Held> {
  chapter(2, 'Alice starts a CI job');
  say(`The job proves who it is with a token of the CI system (its claims are pinned in sallyport.yaml), and gets a pass
    on Alice’s behalf: less than she may, for less time. Both are on it from now on.`);
  writeFileSync(join(stage.home, 'ci.jwt'), await stage.world.idp.ciToken());
  const where = ['--target', 'shop', '--action', 'select', '--table', 'public.orders', '--table', 'public.customers'];
  const terms = ['--expires', '30m', '--max-depth', '1', '--purpose', 'refund check'];
  const output = await sallyport(stage, alice, 'pass', 'issue', '--actor-token', 'ci.jwt', ...where, ...terms);
  check('the job may SELECT on two tables, and may hand that on', output, /SELECT/, /public\.customers/, /1 level/);
  return held(output);
}

export async function helperGetsPass(stage: Stage, job: Held): Promise<Held> {
  chapter(3, 'The job starts a helper');
  say(`The helper is a script without an identity of its own: the job only vouches for its name. It gets certain columns,
    two minutes to connect and 20 statements. Nobody else was asked: a pass can always be narrowed, never widened.`);
  const tables = ['--table', 'public.orders:id,total,status', '--table', 'public.customers:id,name,email'];
  const where = ['--target', 'shop', '--action', 'select', ...tables];
  const terms = ['--expires', '10m', '--uses', '20'];
  const output = await sallyport(stage, job, 'pass', 'narrow', '--as', 'helper', ...where, ...terms);
  check('the helper may read six columns, and may not hand that on', output, /\(id, name, email\)/, /may not delegate/);
  return held(output);
}

/** A helper that may read orders. */
export async function helperOf(stage: Stage, parent: Held): Promise<Held> {
  const where = ['--target', 'shop', '--action', 'select', '--table', 'public.orders'];
  return held(await sallyport(stage, parent, 'pass', 'narrow', '--as', 'helper', ...where, '--expires', '10m'));
}

export async function treeIsShown(stage: Stage, alice: Held): Promise<void> {
  chapter(4, 'Who handed what to whom');
  const tree = await sallyport(stage, alice, 'pass', 'tree');
  check(
    'the helper hangs below the job, and the job below Alice',
    tree,
    /alice@shop\.example[\s\S]*└─ .*\(attested\)[\s\S]* └─ helper \(asserted\)/,
  );
}

/** Runs the command as somebody, shown as it would be typed. Gives what it printed. */
export async function sallyport(stage: Stage, who: Held | undefined, ...args: readonly string[]): Promise<string> {
  typed('$', `sallyport ${args.map(quoted).join(' ')}`);
  const { output } = await stage.sallyport(who?.pass, ...args);
  shown(output);
  return output;
}

function quoted(argument: string): string {
  return /\s/.test(argument) ? `"${argument}"` : argument;
}

function held(output: string): Held {
  const [pass = ''] = output.split('\n');
  if (!isPass(pass)) check('a pass is printed', output, /^slp_/);
  return { pass, grant: pass.slice(4, 26) };
}
