-- The rows of one twin. Only values of labelled columns depend on the side, and their images do not: first letter and
-- domain of addresses, length and end of telephone numbers, years, what is NULL.
-- `k` goes over the same numbers in both, in another order.

create function pg_temp.k(i int) returns int language sql immutable as
  $$ select case :side when 'left' then (7 * (i - 1)) % 40 + 1 else (11 * (i - 1) + 13) % 40 + 1 end $$;

create function pg_temp.mail(i int) returns text language sql immutable as
  $$ select case when i > 38 then 'customer' || i else
       'customer' || 9 + pg_temp.k(i) || substr(md5(pg_temp.k(i) || :side), 1, 3) || 'zqx' end
     || case when i % 3 = 0 then '@post.example' else '@mail.example' end $$;

insert into customers (name, email, phone, ssn, card, born, salary, home, tags, profile, loyalty, backup, tier, card_limit, note, referrer)
select
  'Customer ' || i,
  pg_temp.mail(i),
  case when i % 8 > 0 then '+1 ' || 200 + k || ' 555 ' || lpad(i::text, 4, '0') end,
  case when i % 6 > 0 then rpad(lpad((100 + k)::text, 3, '0') || '-' || 10 + k || '-' || 1000 + k, case when k % 5 = 0 then 10 else 11 end) end,
  case when i % 7 > 0 then '41' || lpad((k * k)::text, 4, '0') || '771177' || 1000 + k end,
  make_date(1960 + i, 1, 1) + (k * 8 + 5),
  1000.25 + k * 13.5,
  case when i % 5 > 0 then row(lpad(k::text, 2, '0') || ' Zqx Street', 'City ' || k % 4)::address end,
  case when i % 4 > 0 then array['zqx' || lpad(k::text, 2, '0'), 'tag' || k % 3] end,
  case when i % 9 > 0 then jsonb_build_object('plan', case when i % 2 = 0 then 'pro' else 'free' end, 'seats', i,
    'contact', jsonb_build_object('email', pg_temp.mail(i), 'age', 20 + k)) end,
  'lqz' || lpad(i::text, 5, '0'),
  case when i % 5 <> 1 then 'b' || lpad(k::text, 2, '0') || 'zqx@mail.example' end,
  (array['bronze', 'silver', 'gold'])[1 + i % 3]::tier,
  100 * i,
  case i % 3 when 0 then null when 1 then 'likes tea' else 'called on day ' || i end,
  nullif(i / 4, 0)
from (select i, pg_temp.k(i) as k from generate_series(1, 40) i) s;

insert into orders (customer_id, status, total, placed_at, contact)
select 1 + i % 40, (array['open', 'shipped', 'returned'])[1 + i % 3], 5 + i * 1.25, timestamptz '2026-01-01 00:00+00' + i * interval '7 hours',
  case when i % 5 > 0 then pg_temp.mail(1 + i % 40) end
from generate_series(1, 120) i;

insert into order_lines select 1 + i % 120, i / 120, 'article ' || i % 9, 1 + i % 5 from generate_series(0, 239) i;

insert into tickets
select i, case when i % 2 = 0 then 'eu' else 'us' end, 1 + i % 40, pg_temp.mail(1 + i % 38), 'ticket ' || i from generate_series(1, 50) i;

insert into vip (id, name, email, ssn, born, salary, tier, perk)
overriding system value
select 1000 + i, 'Vip ' || i, 'v' || pg_temp.k(i) + 9 || 'zqx@mail.example', (900 + pg_temp.k(i)) || '-99-1' || 100 + pg_temp.k(i), make_date(1950 + i, 3, 1) + pg_temp.k(i), 90000 + pg_temp.k(i), 'gold', 'lounge ' || i
from generate_series(1, 4) i;

insert into staff select i, 'login' || i, 'AKIA' || upper(md5(pg_temp.k(i) || :side)) from generate_series(1, 5) i;
insert into other.mailing select i, pg_temp.mail(i), 'mailing ' || i from generate_series(1, 20) i;

refresh materialized view customer_digest;
