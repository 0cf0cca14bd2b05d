/** Everything of the first release. A migration that has been released is never edited: a change is a new file. */
export const first = `
create table grants (
  id text primary key,
  parent text references grants (id),
  path text[] not null,
  principal text not null,
  strikes text[] not null,
  created_at int8 not null,
  expires int8 not null,
  uses_left int8 check (uses_left >= 0),
  record text not null,
  verifier text not null,
  par_hash bytea,
  rec_hash bytea not null
);
create index grants_parent on grants (parent, expires);
create index grants_path on grants using gin (path);
create index grants_principal on grants (principal);

create table revocations (
  key text primary key,
  kind text not null,
  id text not null,
  by text not null,
  reason text not null,
  at int8 not null,
  sequence int8 not null
);

create table used_tokens (
  key bytea primary key,
  expires int8 not null
);
create index used_tokens_expires on used_tokens (expires);

create table sessions (
  id text primary key,
  node text not null,
  worker int4 not null,
  target text not null,
  database text not null,
  role text not null,
  grant_id text not null,
  chain_ids text[] not null,
  chain text not null,
  detail text not null,
  started_at int8 not null,
  client text,
  address text not null,
  ended_at int8,
  cause text,
  operations int8,
  denied int8,
  rows int8
);
create index sessions_chain on sessions using gin (chain_ids);
create index sessions_started on sessions (started_at desc);
create index sessions_live on sessions (node, worker) where ended_at is null;

create table feed_head (
  id int4 primary key check (id = 1),
  sequence int8 not null
);
insert into feed_head values (1, 0);
create table feed (
  sequence int8 primary key,
  kind text not null,
  body text not null,
  at int8 not null
);

create table nodes (
  node text not null,
  worker int4 not null,
  incarnation text not null,
  version text not null,
  pid int4 not null,
  started_at int8 not null,
  seen_at int8 not null,
  left_at int8,
  primary key (node, worker)
);

create table sealed (
  name text primary key,
  key_id text not null,
  sealed bytea not null,
  by text not null,
  at int8 not null
);

create table versions (
  version int8 primary key,
  kind text not null,
  hash text not null,
  text text not null,
  by text not null,
  at int8 not null
);
create index versions_kind on versions (kind, version desc);

create function now_ms() returns int8 language sql volatile
  return (extract(epoch from clock_timestamp()) * 1000)::int8;

-- Takes n uses from every finite grant of the path, or from none. Returns the first that has too few, or null.
-- Rows are locked in id order, so that two debits cannot wait for each other.
create function debit(ids text[], n int8) returns text language plpgsql as $$
declare
  short text;
begin
  if (select count(*) from grants where id = any (ids)) <> cardinality(ids) then
    raise exception 'no such grant' using errcode = 'P0002';
  end if;
  perform 1 from grants where id = any (ids) and uses_left is not null order by id for update;
  select id into short from grants where id = any (ids) and uses_left < n order by array_position(ids, id) limit 1;
  if short is not null then
    return short;
  end if;
  update grants set uses_left = uses_left - n where id = any (ids) and uses_left is not null;
  return null;
end
$$;

-- The next number of the feed. The row lock is held until commit, so numbers become visible in order and without gaps.
create function feed_append(entry_kind text, entry_body text) returns int8 language plpgsql as $$
declare
  entry int8;
begin
  update feed_head set sequence = sequence + 1 where id = 1 returning sequence into strict entry;
  insert into feed (sequence, kind, body, at) values (entry, entry_kind, entry_body, now_ms());
  perform pg_notify('sallyport_feed', entry::text);
  return entry;
end
$$;
`;
