import { check, no, Untrue } from './check.ts';
import { DATABASE, type SqlSession } from './client.ts';
import type { Held } from './passes.ts';
import type { Stage } from './stage.ts';
import { chapter, say, shown, typed } from './voice.ts';

// What statements come to: masked, denied with the session alive, stopped by a guardrail, and a transaction that
// means what it means on a server.

const ADDRESS = /[a-z]+\d+@mail\.example/;

/** Opens a session with an unmodified client, shown as it would be typed. */
export async function connect(stage: Stage, { pass }: Held, brief: boolean = true): Promise<SqlSession> {
  typed('$', stage.client.commandLine(pass, brief));
  const session = await stage.client.open(pass);
  if (typeof session === 'string') throw new Untrue('the client logs in', session);
  return session;
}

/** Runs a statement; gives what the client printed. */
export async function ask(session: SqlSession, statement: string): Promise<string> {
  typed(`${DATABASE}=>`, statement);
  const output = await session.ask(statement);
  shown(output);
  return output;
}

export async function helperQueries(stage: Stage, helper: Held): Promise<SqlSession> {
  chapter(5, 'The helper looks at customers');
  say(`Any PostgreSQL client will do; this one is ${stage.client.name}. It logs in by SCRAM with the grant’s id and the
    secret part of the pass, verifies the gateway’s certificate, and binds the login to it. It never sees the
    database’s own password.`);
  const session = await connect(stage, helper, false);
  const output = await ask(session, 'select id, name, email from customers order by id limit 3;');
  check('three customers, their e-mail addresses masked', output, /Customer 3/, /c\*\*\*@mail\.example/, no(ADDRESS));
  return session;
}

export async function helperGoesTooFar(session: SqlSession): Promise<void> {
  chapter(6, 'The helper goes too far');
  say('A table that is not in its pass, and a column that is not.');
  const table = await ask(session, 'select * from staff;');
  check('denied, as PostgreSQL would say it', table, /ERROR: .*staff/, no(/AKIA/));
  const column = await ask(session, 'select id, ssn from customers;');
  check('denied, and the pass that does not reach is named', column, /ERROR: .*ssn/, no(/\d{3}-\d{2}-\d{4}/));
  const next = await ask(session, 'select id, status, total from orders where id = 7;');
  check('the session is alive: the next statement works', next, /\(1 row\)/);
}

export async function helperTriesATrick(session: SqlSession): Promise<void> {
  chapter(7, 'The helper tries a trick');
  say(`A mask that goes by the name of a column is talked around with an expression or a condition. Here statements are
    read with PostgreSQL’s own parser: what is computed from a labelled column is computed from its mask, and choosing
    rows by it needs a right of its own.`);
  const computed = await ask(session, 'select upper(email) from customers limit 1;');
  check('computed, from the mask', computed, /C\*\*\*@MAIL\.EXAMPLE/, no(ADDRESS));
  const guessed = await ask(session, "select id from customers where email like 'customer1%';");
  check(
    'denied: the column, its label and the missing right are named',
    guessed,
    /ERROR/,
    /email/,
    /filter/,
    no(ADDRESS),
  );
}

export async function jobReadsNotes(stage: Stage, job: Held): Promise<void> {
  chapter(8, 'The job reads notes');
  say('Nobody labelled the column “note”; somebody wrote a card number into it all the same.');
  const session = await connect(stage, job);
  const output = await ask(session, 'select id, note from customers where id in (4, 6) order by id;');
  check('the number is found and masked, the rest is left', output, /\*{4} 1111 in March/, /tea/, no(/4111 1111/));
  await session.close();
}

export async function aliceDeletes(stage: Stage, alice: Held): Promise<SqlSession> {
  chapter(9, 'Alice forgets the WHERE');
  say('Policy lets Alice delete orders in person. A guardrail stands beside it, and it is not talked around.');
  const session = await connect(stage, alice);
  for (const statement of ['delete from orders;', 'delete from orders where id = id;']) {
    const output = await ask(session, statement);
    check('stopped by the policy bounded-writes', output, /ERROR/, /bounded-writes/);
  }
  return session;
}

export async function transactionKeepsMeaning(stage: Stage, session: SqlSession): Promise<void> {
  chapter(10, 'A transaction keeps its meaning');
  say('A denied statement leaves the server as an error of its own would: the transaction is aborted.');
  const before = await countOrders(stage);
  const begun = await ask(session, 'begin;');
  const deleted = await ask(session, 'delete from orders where id = 400;');
  check('a delete that picks its row works', `${begun}${deleted}`, /BEGIN/, /DELETE 1/);
  const denied = await ask(session, 'delete from orders;');
  const after = await ask(session, 'select 1;');
  check(
    'after the denial nothing runs until ROLLBACK',
    `${denied}${after}`,
    /bounded-writes/,
    /transaction is aborted/,
  );
  await ask(session, 'rollback;');
  check('the deleted order is back', `${(await countOrders(stage)) - before} orders fewer`, /^0 /);
}

/** Asked of the database itself, not through the gateway. */
async function countOrders({ world }: Stage): Promise<number> {
  const [row] = await world.postgres.query('select count(*)::int as orders from orders', 'shop');
  return Number(row?.['orders']);
}
