import type { Meter } from './budget.ts';
import type { Denial } from './decision.ts';
import type { SqlReader } from './facts.ts';
import type { Chain } from './grant.ts';
import type { Label } from './label.ts';
import type { Login, Origin } from './login.ts';
import type { Obligation } from './obligation.ts';
import type { Clearance, Operation } from './operation.ts';
import type { Credential, Target } from './target.ts';

/** What a client wants once it has proved who it is. */
export interface Greeting {
  readonly login: Login;
  readonly origin: Origin;
  /** Target name as asked for; may be unknown. */
  readonly target: string;
  readonly database: string | undefined;
  /** Upstream role as asked for; undefined: the target's default. */
  readonly role: string | undefined;
  /** What the client calls itself. Recorded, never trusted. */
  readonly client: string | undefined;
}

/** Opens sessions: the only way from a login to a target. */
export interface Sessions {
  /** Checks caveats, `connect_by`, the `connect` policy and the feed, and records the start. Throws Fault. */
  open(greeting: Greeting): Promise<Session | Denial>;
}

/** One authorised span of use of one target by one chain. Owned by the driver that opened it, which must `end` it. */
export interface Session {
  readonly id: string;
  readonly chain: Chain;
  readonly target: Target;
  readonly database: string;
  readonly role: string;
  readonly reader: SqlReader;
  /** Aborted when the session must end now; the reason is an `Ending`. */
  readonly signal: AbortSignal;
  /** Registers who tells the client something in between (a session about to expire). Called at any moment. */
  onNotice(tell: (message: string) => void): void;
  /** Registers who stops passing results on while revocations cannot be heard, and goes on when they can. */
  onPause(tell: (paused: boolean) => void): void;
  /** Short text for the target's own logs: agent and grant, at most 63 bytes. */
  readonly tag: string;

  /**
   * What `clear` would refuse or ask for, for a statement that is only being prepared; as little as is known where
   * parameters decide. Decides; debits, holds and records nothing.
   */
  foresee(operation: Operation): Denial | Foreseen;
  /** Decides, records, waits if held. Never throws: a fault on the way is a denial. */
  clear(operation: Operation, patience?: Patience): Promise<Clearance | Denial>;
  /** Whether what was cleared may still go on, after time passed or an epoch moved. Debits nothing. */
  stillClear(clearance: Clearance): true | Denial;
  /** Counts the rows of what was cleared against budgets; undefined where none limits them. */
  meter(clearance: Clearance): Meter | undefined;
  /** A refusal that was found before the gate (unreadable, unsupported): recorded like any denial. */
  refused(text: string, denial: Denial): Promise<void>;

  /** The keyed function behind `hash` masks: one key per root principal and label. */
  hasher(label: Label): (bytes: Uint8Array) => Uint8Array;

  /** Waits for a place under the target's connection cap. Throws Fault TARGET_BUSY. */
  lease(): Promise<Lease>;
  /** What was told to the client for a cleared operation. */
  readonly tape: Tape;
  end(reason: string): Promise<void>;
}

/** How a driver waits for people. Where there is none a hold fails at once, with the id of its request. */
export interface Patience {
  /**
   * Makes sure that nothing is at stake upstream while somebody thinks: no transaction, no lock, nothing half sent.
   * False where something is; then nothing waits.
   */
  settle(): Promise<boolean>;
  /** Tells the client what it waits for. */
  tell(message: string): void;
  /** Whether the operation would still do what it would have done when it was read. */
  unchanged(): Promise<boolean>;
  /** Aborted when the client takes it back or is gone. */
  readonly signal: AbortSignal;
}

/** What is known of a statement before it is bound. */
export interface Foreseen {
  readonly obligations: readonly Obligation[];
  /** The text to prepare. */
  readonly sent: string;
}

/** A place under the connection cap and what to log in with. Must be released once. */
export interface Lease {
  readonly credential: Credential;
  release(): void;
}

/** Takes down what the client was told. Nothing here blocks: back-pressure is applied at the next `clear`. */
export interface Tape {
  /** Post-mask wire frames of the result (RowDescription, DataRow, CopyData …); copied before return, capped per target. */
  frames(sequence: number, bytes: Uint8Array): void;
  done(sequence: number, outcome: Outcome): void;
  /** How long one read of results took to be masked and taken down, in milliseconds. */
  took(milliseconds: number): void;
}

export interface Outcome {
  /** The server's command tag, or undefined when it failed. */
  readonly tag: string | undefined;
  /** SQLSTATE of the error the client was told. */
  readonly error: string | undefined;
  readonly rows: number;
  /** How many of the rows the recording has. */
  readonly kept: number;
  readonly bytes: number;
  /** What detectors found in the rows, by detector; empty when nothing was looked for or found. */
  readonly found: Readonly<Record<string, number>>;
  /** Milliseconds from forward to completion. */
  readonly duration: number;
}

/** Why a session ended from outside. */
export interface Ending {
  readonly cause: 'revoked' | 'expired' | 'killed' | 'stale' | 'shutdown' | 'fault';
  readonly message: string;
}
