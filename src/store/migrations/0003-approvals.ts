/** Requests for approval. `body` is what counts, and `mac` proves it; the columns beside them find it. */
export const approvals = `
create table approvals (
  id text primary key,
  digest text not null,
  alike text,
  around text,
  state text not null,
  principal text not null,
  review_due boolean not null,
  created_at int8 not null,
  expires_at int8 not null,
  body text not null,
  mac bytea not null
);
create index approvals_digest on approvals (digest) where state in ('waiting', 'approved');
create index approvals_alike on approvals (alike) where state = 'approved';
create index approvals_around on approvals (around) where state = 'approved';
create index approvals_waiting on approvals (principal) where state = 'waiting';
create index approvals_created on approvals (created_at desc);
create index approvals_open on approvals (created_at desc) where state = 'waiting';
`;
