import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { check, no } from './check.ts';
import { DATABASE, type SqlSession } from './client.ts';
import { type Held, sallyport } from './passes.ts';
import { ask } from './queries.ts';
import type { Stage } from './stage.ts';
import { chapter, confirmed, say, shown, typed } from './voice.ts';

// Rights do not grow, and they end at once.

export async function jobWantsMore(stage: Stage, job: Held): Promise<void> {
  chapter(12, 'The job wants more than it has');
  const more = ['--target', 'shop', '--action', 'select', '--action', 'delete', '--table', 'public.staff'];
  const output = await sallyport(stage, job, 'pass', 'narrow', '--as', 'helper-2', ...more);
  check('refused, and what does not fit is named', output, /error/, /delete/, /staff/, no(/slp_/));
}

export async function aliceRevokes(stage: Stage, cast: Revoking): Promise<void> {
  chapter(13, 'Alice revokes the job’s pass');
  say('The helper’s session is open, and busy. Alice ends what she gave to the job; the helper’s pass hangs below it.');
  const { alice, job, helper, open, own } = cast;
  typed(`${DATABASE}=>`, 'select pg_sleep(30);');
  const running = open.begin('select pg_sleep(30);');
  await untilAsleep(stage);
  const since = performance.now();
  await stage.as(alice.pass).post(`/v1/grants/${job.grant}/revoke`, { reason: 'the refund check is over' });
  const { output, at } = await running.interrupted;
  shown(output);
  check('the open session is ended in the middle of its statement', output, /FATAL/, /revoked/);
  confirmed(`${Math.round(at - since)} ms after Alice asked for it`);
  const again = await stage.client.open(helper.pass);
  typed('$', stage.client.commandLine(helper.pass, true));
  const refused = typeof again === 'string' ? again : 'it logged in';
  shown(refused);
  check('the helper does not come back', refused, /revoked/, no(/logged in$/));
  say('Alice, in the session she had open all the time:');
  const still = await ask(own, 'select count(*) from orders;');
  check('what she did not revoke goes on', still, /\d+/, no(/ERROR|FATAL/));
  await own.close();
}

export interface Revoking {
  readonly alice: Held;
  readonly job: Held;
  readonly helper: Held;
  /** The helper's session. */
  readonly open: SqlSession;
  /** Alice's own. */
  readonly own: SqlSession;
}

export async function untilAsleep({ world }: Stage): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const asleep = await world.postgres.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'");
    if (asleep.length > 0) return;
    await sleep(25);
  }
  throw new Failure('the helper’s statement did not reach the database');
}
