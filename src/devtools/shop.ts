import type { ThrowawayPostgres } from './postgres.ts';

/** The database of a small shop: what the demo and the tests look at through the gateway. */
export const SHOP_USER = 'shop_app';
export const SHOP_PASSWORD = 'shop-password-that-no-agent-sees';

const SCHEMA = `
create table customers (
  id int generated always as identity primary key,
  name text not null,
  email text not null unique,
  phone varchar(20),
  ssn char(11),
  born date,
  card_limit numeric(10, 2),
  note text
);
create table orders (
  id int generated always as identity primary key,
  customer_id int not null references customers,
  status text not null default 'open',
  total numeric(10, 2) not null,
  placed_at timestamptz not null default now()
);
create index on orders (customer_id);
create table staff (id int primary key, login text not null, api_key text not null);
create table devices (id int primary key, info jsonb);
create view open_orders as
  select o.id, o.customer_id, o.total, c.name as customer from orders o join customers c on c.id = o.customer_id where o.status = 'open';

insert into customers (name, email, phone, ssn, born, card_limit, note)
select 'Customer ' || i, 'customer' || i || '@mail.example', '+1 202 555 ' || lpad(i::text, 4, '0'),
  lpad((100 + i)::text, 3, '0') || '-' || lpad((10 + i % 80)::text, 2, '0') || '-' || lpad((1000 + i)::text, 4, '0'),
  date '1970-01-01' + i * 97, 100 * i,
  case i % 4 when 0 then 'paid with 4111 1111 1111 1111 in March' when 1 then 'reach me at private' || i || '@home.example' else 'likes tea' end
from generate_series(1, 60) i;
insert into orders (customer_id, status, total, placed_at)
select 1 + i % 60, case when i % 3 = 0 then 'open' else 'shipped' end, 5 + i * 1.25, timestamptz '2026-01-01' + i * interval '7 hours'
from generate_series(1, 400) i;
insert into devices select i, jsonb_build_object('model', 'm' || i, 'owner', jsonb_build_object('ssn', '101-11-1' || lpad(i::text, 3, '0'), 'name', 'Customer ' || i))
from generate_series(1, 5) i;
insert into staff values (1, 'root', 'AKIAIOSFODNN7EXAMPLE');
`;

/** Makes the database `shop`, owned by an ordinary role, and fills it. */
export async function stockShop(server: ThrowawayPostgres, database = 'shop'): Promise<void> {
  const [known] = await server.query(`select from pg_roles where rolname = '${SHOP_USER}'`);
  if (known === undefined) await server.query(`create role ${SHOP_USER} login password '${SHOP_PASSWORD}'`);
  await server.query(`create database ${database} owner ${SHOP_USER}`);
  await server.query(`set role ${SHOP_USER}; ${SCHEMA}; analyze`, database);
}
