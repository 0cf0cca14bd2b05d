/** Server processes behind the gateway's own connections to targets: so that sessions of others can be told from ours. */
export interface OwnBackends {
  /** A connection has logged in as `user`. Returns what to call, once, when it is gone. */
  opened(user: string, process: number): () => void;
}
