/** The gateway's own connections to targets, by worker: so that its sessions there can be told from others'. */
export const backends = `
create table backends (
  node text not null,
  worker int4 not null,
  backends text not null,
  at int8 not null,
  primary key (node, worker)
);
`;
