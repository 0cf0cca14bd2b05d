import { check, no } from './check.ts';
import { DATABASE } from './client.ts';
import { helperOf, logIn, sallyport } from './passes.ts';
import { connect } from './queries.ts';
import { untilAsleep } from './revocation.ts';
import type { Stage } from './stage.ts';
import { chapter, confirmed, say, shown, typed } from './voice.ts';

// A person goes, and everything that acts for them stops.

export async function carolLeaves(stage: Stage): Promise<void> {
  chapter(14, 'Carol, a contractor, leaves');
  say('Carol has a helper, and the helper has a session, in the middle of a long statement. Her contract ends now.');
  const carol = await logIn(stage, 'carol');
  const dave = await logIn(stage, 'dave');
  const helper = await helperOf(stage, carol);
  const session = await connect(stage, helper);
  typed(`${DATABASE}=>`, 'select pg_sleep(30);');
  const running = session.begin('select pg_sleep(30);');
  await untilAsleep(stage);
  say('Dave, an administrator:');
  const since = performance.now();
  const said = ['revoke', 'user', 'carol@shop.example', '--reason', 'the contract has ended', '--yes'];
  const revoked = sallyport(stage, dave, ...said);
  const { output, at } = await running.interrupted;
  const told = await revoked;
  check('the sessions that act for her are counted', told, /Revoked: carol@shop\.example/, /One live\s+session/);
  shown(output);
  check('the helper’s session is ended in the middle of its statement', output, /FATAL/, /the contract has ended/);
  confirmed(`${Math.round(at - since)} ms after Dave pressed return, start of his command included`);
  const left = await stage.world.postgres.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'");
  check('nothing of it is left at the database', JSON.stringify(left), /^\[\]$/);
  const again = await logIn(stage, 'carol').then(
    () => 'she is in',
    (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  );
  shown(again);
  check('her own login does not bring her back', again, no(/she is in/));
}
