import type { Json } from './evidence.ts';

/** Sessions as the store lists them for people; the data plane writes, the control plane reads. */
export interface SessionDirectory {
  opened(row: SessionRow): Promise<void>;
  /** Idempotent. */
  ended(id: string, at: number, cause: string, totals: SessionTotals): Promise<void>;
  /** Marks what a dead worker left open as ended (`cause: lost`). */
  abandon(node: string, worker: number): Promise<number>;
  list(filter: SessionFilter): Promise<readonly ListedSession[]>;
  find(id: string): Promise<ListedSession | undefined>;
}

export interface SessionRow {
  readonly id: string;
  readonly node: string;
  readonly worker: number;
  readonly target: string;
  readonly database: string;
  readonly role: string;
  readonly grant: string;
  /** Ids of grants, principal and agents in the chain. */
  readonly chainIds: readonly string[];
  /** `alice > ci (attested) > helper (asserted)`. */
  readonly chain: string;
  readonly detail: Json;
  readonly startedAt: number;
  readonly client: string | undefined;
  readonly address: string;
}

export interface SessionTotals {
  readonly operations: number;
  readonly denied: number;
  readonly rows: number;
}

/** Newest first. `chainId` matches any id in the chain; `live` limits to sessions that have not ended. */
export interface SessionFilter {
  readonly live?: boolean;
  readonly target?: string;
  readonly chainId?: string;
  readonly limit: number;
}

export interface ListedSession extends SessionRow {
  readonly endedAt: number | undefined;
  readonly cause: string | undefined;
  readonly totals: SessionTotals | undefined;
}
