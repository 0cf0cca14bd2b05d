-- What both twins have. Every kind of thing that can lead to a labelled column is here once.

create schema other;

create type tier as enum ('bronze', 'silver', 'gold');
create type address as (street text, city text);
create domain mailbox as text check (position('@' in value) > 1);

create table customers (
  id int generated always as identity primary key,
  name text not null,
  email text not null unique,
  phone varchar(20),
  ssn char(11) unique,
  card text,
  born date check (born > '1900-01-01'),
  salary numeric(10, 2),
  home address,
  tags text[],
  profile jsonb,
  loyalty text,
  backup mailbox,
  tier tier not null default 'bronze',
  card_limit numeric(10, 2),
  note text,
  referrer int references customers,
  domain text generated always as (split_part(email, '@', 2)) stored
);
create index on customers (lower(email));
create index on customers (born) where salary > 1000;
create statistics customer_pairs on card, ssn from customers;

create table orders (
  id int generated always as identity primary key,
  customer_id int not null references customers,
  status text not null default 'open',
  total numeric(10, 2) not null,
  placed_at timestamptz not null default '2026-03-01 00:00+00',
  contact text references customers (email) on update cascade
);
create index on orders (customer_id);
create table order_lines (
  order_id int references orders on delete cascade,
  line int,
  article text not null,
  quantity int not null check (quantity > 0),
  primary key (order_id, line)
);

create table tickets (
  id int not null,
  region text not null,
  customer_id int references customers,
  sender text,
  subject text not null
) partition by list (region);
create table tickets_eu partition of tickets for values in ('eu');
create table tickets_us partition of tickets for values in ('us');

create table vip (perk text) inherits (customers);
create table staff (id int primary key, login text not null, api_key text not null);
create table other.mailing (id int primary key, email text, note text);
create sequence ticket_numbers;

create view customer_contacts as select id, name, email as mail, phone from customers;
create view customer_labels as select c.id, upper(c.name) || ' <' || c.email || '>' as label from customers c;
create view customer_totals as
  select c.id, c.name, c.email, count(o.id) as orders, coalesce(sum(o.total), 0) as total
  from customers c left join orders o on o.customer_id = c.id group by c.id;
create view open_orders as
  select o.id, o.customer_id, o.total, c.name as customer
  from orders o join customers c on c.id = o.customer_id where o.status = 'open';

create materialized view customer_digest as
  select id, name, lower(email) as mail, extract(doy from born)::int as day, card_limit from customers with no data;

create function customer_mail(int) returns text language sql stable as 'select email from customers where id = $1';
create function fullname(customers) returns text language sql stable as $$ select $1.name || ' ' || $1.email $$;
create function oldest() returns setof customers language plpgsql stable as
  $$ begin return query select * from customers order by born limit 1; end $$;
create function is_minor(date) returns boolean language sql immutable as $$ select $1 > '2008-01-01' $$;
create function peek(refcursor) returns refcursor language plpgsql as
  $$ begin open $1 for select email from customers order by id; return $1; end $$;
create function run_it(text) returns text language plpgsql as
  $$ declare told text; begin execute $1 into told; return told; end $$;
create procedure forget(int) language sql as 'delete from orders where id = $1';

create function stamp() returns trigger language plpgsql as
  $$ begin new.status := trim(new.status); return new; end $$;
create trigger orders_stamp before insert or update on orders for each row execute function stamp();
