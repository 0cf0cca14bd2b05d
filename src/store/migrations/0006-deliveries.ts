/**
 * What is to be told of requests for approval (`notices`: with a body, now; without, when it is due and still true), and
 * on its way to whom (`deliveries`). Bodies are under a MAC: a gateway signs what it sends.
 */
export const deliveries = `
create table notices (
  sequence int8 generated always as identity primary key,
  request text not null,
  type text not null,
  due_at int8 not null,
  body text,
  mac bytea
);
create index notices_due on notices (due_at);
create table deliveries (
  id text primary key,
  sequence int8 generated always as identity,
  destination text not null,
  request text not null,
  type text not null,
  body text not null,
  mac bytea not null,
  state text not null,
  tries int4 not null,
  next_at int8 not null,
  created_at int8 not null,
  ended_at int8,
  error text,
  receipt text
);
create index deliveries_due on deliveries (destination, next_at) where state = 'waiting';
create index deliveries_about on deliveries (request, destination, sequence);
create index deliveries_created on deliveries (created_at desc);
`;
