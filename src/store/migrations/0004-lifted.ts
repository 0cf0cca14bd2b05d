/**
 * Revocations that end what there is and no more: those lifted, and those of a membership. `until` is a place on the
 * feed, and so is `born`, which grants of earlier releases lack: they were there before anything was lifted.
 */
export const lifted = `
alter table revocations
  add column member_of text,
  add column until int8,
  add column lifted_at int8,
  add column lifted_by text,
  add column lifted_reason text;
create index revocations_sequence on revocations (sequence desc);
create index revocations_id on revocations (id);

alter table grants add column born int8;
create index grants_strikes on grants using gin (strikes);

-- The first revocation that ends a grant with this path. Each grant lists what those above it stand on as well, and is
-- younger than they are: the oldest decides.
create function first_strike(ids text[]) returns text language sql stable as $$
  select r.key from grants g join revocations r on r.key = any (g.strikes)
  where g.id = any (ids) and (r.until is null or coalesce(g.born, -1) < r.until)
  order by r.sequence limit 1
$$;
`;
