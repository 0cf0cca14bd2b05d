import type { ThrowawayPostgres } from '../src/devtools/postgres.ts';

/** What is asked for: pgbench's tables at scale 1, and people with one labelled column among six. */
export const DATABASE = 'bench';
export const USER = 'bench_app';
export const PASSWORD = 'bench-password';

export const ACCOUNTS = 100_000;

/** Every so many people a note holds a card number, for the detectors. */
export const CARD_EVERY = 1_000;
export const CARD = '4111 1111 1111 1111';

/** `people` has as many rows as the largest case asks for; a row is about 123 bytes on the wire. */
export async function stock(server: ThrowawayPostgres, people: number): Promise<void> {
  await server.query(`create role ${USER} login password '${PASSWORD}'`);
  await server.query(`create database ${DATABASE} owner ${USER}`);
  await server.query(
    `set role ${USER};
create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84));
create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
insert into pgbench_branches values (1, 0, '');
insert into pgbench_tellers select i, 1, 0, '' from generate_series(1, 10) i;
insert into pgbench_accounts select i, 1, i % 1000, '' from generate_series(1, ${ACCOUNTS}) i;
create table people (id int primary key, name text not null, email text not null, city text not null, born date not null, note text not null);
insert into people
select i, 'Person ' || i, ${emailOf('i')}, (array['Oslo', 'Porto', 'Nairobi', 'Kyoto'])[1 + i % 4], date '1950-01-01' + i % 20000,
  case when i % ${CARD_EVERY} = 0 then 'paid with ${CARD} in March' else 'likes tea, and asked about order ' || i end
from generate_series(1, ${people}) i;`,
    DATABASE,
  );
  await server.query('vacuum analyze', DATABASE);
}

function emailOf(i: string): string {
  return `'person' || ${i} || '@mail.example'`;
}

/** The address of person `i`, in clear and as its mask shows it. */
export const addressOf = (i: number): string => `person${i}@mail.example`;
export const MASKED_ADDRESS = 'p***@mail.example';
