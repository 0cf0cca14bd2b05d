import { check, no } from './check.ts';
import { DATABASE } from './client.ts';
import { type Held, logIn, sallyport } from './passes.ts';
import { ask, connect } from './queries.ts';
import type { Stage } from './stage.ts';
import { chapter, confirmed, say, shown, typed } from './voice.ts';

// What nobody does alone: the statement waits inside the session until somebody else has looked at it.

const STATEMENT = 'drop table orders_2019;';

/** Gives Bob's pass: his session is watched later. */
export async function fridaApproves(stage: Stage): Promise<Held> {
  chapter(11, 'Bob drops a table, and Frida is asked');
  say('Both are DBAs, and may change the structure of production; a policy wants a second one to look first.');
  const bob = await logIn(stage, 'bob');
  const frida = await logIn(stage, 'frida');
  const session = await connect(stage, bob);
  typed(`${DATABASE}=>`, STATEMENT);
  const { told, done } = await session.hold(STATEMENT);
  shown(told);
  check('psql waits, and says for whom and what to do', told, /NOTICE: .*waiting for approval by dba-oncall/);
  const request = /request (\w{22})/.exec(told)?.[1] ?? '';

  say('Bob cannot answer himself. Frida sees who asks for what:');
  const own = await sallyport(stage, bob, 'approvals', 'approve', request);
  check('nobody answers what they ask for themselves', own, /nobody answers/);
  const seen = await sallyport(stage, frida, 'approvals', 'show', request);
  check(
    'the chain, the exact statement, and whom it waits for',
    seen,
    /bob@shop\.example/,
    /drop table orders_2019/i,
    /dba/,
  );
  const since = performance.now();
  await sallyport(stage, frida, 'approvals', 'approve', request, '--reason', 'archived in January');
  const output = await done;
  confirmed(
    `released ${Math.round(performance.now() - since)} ms after she pressed return, start of her command included`,
  );
  shown(output);
  check('it ran', output, /DROP TABLE/, no(/ERROR/));
  const used = await sallyport(stage, frida, 'approvals', 'show', request);
  check('the approval was for that statement, once, and is used up', used, /\(used/);
  const again = await ask(session, 'select count(*) from orders_2019;');
  check('the table is gone', again, /does not exist|not known/);
  await session.close();
  return bob;
}
