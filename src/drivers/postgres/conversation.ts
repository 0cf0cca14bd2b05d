import type { Duplex } from 'node:stream';
import type { SqlFacts } from '../../core/facts.ts';
import type { Lease, Session } from '../../core/session.ts';
import { Rewrite } from '../../masking/rewrite.ts';
import type { CancelKey, TransactionStatus } from '../../wire/postgres/backend.ts';
import { cancelUpstream, type Upstream } from './dial.ts';
import { Gather } from './gather.ts';
import { NameScope } from './name-scope.ts';
import { Names } from './names.ts';
import { Pending } from './pending.ts';
import { type Cursor, MAX_NAMES, type Portal, type Prepared } from './statements.ts';

/**
 * What both directions of one connection share. The client lane asks and pushes onto `pending`; the server lane
 * answers and shifts. Neither touches the other's socket except through the gathers here.
 */
export class Conversation {
  readonly session: Session;
  readonly client: Duplex;
  readonly pending: Pending = new Pending();
  readonly prepared: Names<Prepared> = new Names(MAX_NAMES);
  /** Portals and cursors share one namespace on the server. */
  readonly portals: Names<Portal | Cursor> = new Names(MAX_NAMES);
  /** What is to leave of the read from the server that is at hand. */
  readonly leaving: Rewrite = new Rewrite();
  readonly toClient: Gather = new Gather();
  readonly toServer: Gather = new Gather();

  /** The process id the client knows itself by: the gateway's, not the target's. */
  process = 0;
  upstream: Upstream | undefined;
  lease: Lease | undefined;
  /** The target's own FATAL was passed on: nothing is to be said after it. */
  fatalTold = false;
  status: TransactionStatus = 'I';
  /** The server failed in a pipeline and reads past everything up to a Sync that was not sent yet. */
  skipping = false;
  /** Messages of the extended protocol were sent since the last Sync: a Query or Sync of ours would commit them. */
  inPipeline = false;
  /** A portal was bound since the last Sync: a Sync of ours would drop it, and commit what ran. */
  bound = false;
  /** The open transaction changed the catalog: once it ends, the snapshot everybody shares is out of date. */
  ddlOpen = false;
  readonly names: NameScope;
  /** While the server takes copy data: how many Syncs it would have read past were held back. */
  copyIn: { heldSyncs: number } | undefined;

  constructor(session: Session, client: Duplex) {
    this.session = session;
    this.client = client;
    this.names = new NameScope({
      target: session.target.name,
      database: session.database,
      role: session.role,
      searchPath: [],
      temporary: [],
      uncommitted: [],
    });
  }

  /** Whether the server would read past anything but a Sync. True after any wait as well as before it. */
  get deaf(): boolean {
    return this.skipping && this.pending.length === 0;
  }

  /** Asks the target to stop what it runs for this connection, if it runs anything. */
  cancel(): void {
    const key: CancelKey | undefined = this.upstream?.key;
    if (key !== undefined && this.pending.length > 0) void cancelUpstream(this.session.target, key);
  }

  /** A Sync or Query was forwarded: the server skips no further than to it. */
  boundary(): void {
    this.prepared.boundary();
    this.portals.boundary();
  }

  /** Writes what is gathered for the client. */
  flushClient(): void {
    const bytes = this.toClient.take();
    if (bytes !== undefined && !this.client.writableEnded && !this.client.destroyed) this.client.write(bytes);
  }

  /** Writes what is gathered for the server; false when it asks to wait. */
  flushServer(): boolean {
    const bytes = this.toServer.take();
    const socket = this.upstream?.socket;
    if (bytes === undefined || socket === undefined || socket.writableEnded || socket.destroyed) return true;
    return socket.write(bytes);
  }

  /** Reads a text in the present scope. */
  read(text: string): SqlFacts | Promise<SqlFacts> {
    return this.session.reader.read(text, this.names.scope);
  }
}
