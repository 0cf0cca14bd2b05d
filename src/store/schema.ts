import type { ColumnType, Generated } from 'kysely';

/** The tables as queries see them. docs/storage.md says what each is for; migrations/ makes them. Times are milliseconds. */
export interface Tables {
  grants: GrantsTable;
  revocations: RevocationsTable;
  used_tokens: { key: Buffer; expires: number };
  sessions: SessionsTable;
  approvals: ApprovalsTable;
  notices: NoticesTable;
  deliveries: DeliveriesTable;
  feed_head: { id: number; sequence: number };
  feed: { sequence: number; kind: string; body: string; at: number };
  nodes: NodesTable;
  backends: { node: string; worker: number; backends: string; at: number };
  sealed: { name: string; key_id: string; sealed: Buffer; by: string; at: number };
  spending: { holder: string; what: string; hour: number; spent: number };
  versions: { version: number; kind: string; hash: string; text: string; by: string; at: number };
  schema_version: { version: number; name: string; applied_at: Generated<Date> };
}

export interface GrantsTable {
  id: string;
  parent: string | null;
  path: string[];
  principal: string;
  strikes: string[];
  created_at: number;
  expires: number;
  uses_left: number | null;
  record: string;
  verifier: string;
  born: number | null;
  par_hash: Buffer | null;
  rec_hash: Buffer;
}

export interface RevocationsTable {
  key: string;
  kind: string;
  id: string;
  by: string;
  reason: string;
  at: number;
  sequence: number;
  member_of: string | null;
  until: number | null;
  lifted_at: number | null;
  lifted_by: string | null;
  lifted_reason: string | null;
}

export interface SessionsTable {
  id: string;
  node: string;
  worker: number;
  target: string;
  database: string;
  role: string;
  grant_id: string;
  chain_ids: string[];
  chain: string;
  detail: string;
  started_at: number;
  client: string | null;
  address: string;
  ended_at: number | null;
  cause: string | null;
  operations: number | null;
  denied: number | null;
  rows: number | null;
}

export interface ApprovalsTable {
  id: string;
  digest: string;
  alike: string | null;
  around: string | null;
  state: string;
  principal: string;
  review_due: boolean;
  created_at: number;
  expires_at: number;
  body: string;
  mac: Buffer;
}

export interface NoticesTable {
  sequence: Generated<number>;
  request: string;
  type: string;
  due_at: number;
  body: string | null;
  mac: Buffer | null;
}

export interface DeliveriesTable {
  id: string;
  sequence: Generated<number>;
  destination: string;
  request: string;
  type: string;
  body: string;
  mac: Buffer;
  state: string;
  tries: number;
  next_at: number;
  created_at: number;
  ended_at: number | null;
  error: string | null;
  receipt: string | null;
}

export interface NodesTable {
  node: string;
  worker: number;
  incarnation: string;
  version: string;
  pid: number;
  started_at: number;
  seen_at: ColumnType<number, number, number>;
  left_at: number | null;
}
