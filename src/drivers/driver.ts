import type { Denial } from '../core/decision.ts';
import type { Fault } from '../core/fault.ts';
import type { Authenticator } from '../core/login.ts';
import type { Greeting, Sessions } from '../core/session.ts';
import type { Protocol } from '../core/target.ts';
import type { Pipe } from './pipe.ts';

/**
 * One protocol the gateway speaks. A driver finds words: it reads what the client says into operations and facts,
 * and puts decisions into the protocol's own language. It never decides, never stores, never sees a policy.
 *
 * One value serves every session, so it keeps no state of a session's own. Every folder beside this file has the same
 * file names: `driver.ts`, `greet.ts`, `dial.ts`, `relay.ts`, `denial.ts`.
 */
export interface Driver<G extends Greeting = Greeting> {
  readonly protocol: Protocol;
  /**
   * Speaks the protocol's login dialogue with `auth`, and says which target is wanted. Undefined when the connection
   * had another purpose that is served (a cancel request) or the client left. Throws Fault on bytes it cannot read.
   */
  greet(client: Pipe, auth: Authenticator, signal: AbortSignal): Promise<G | Denial | undefined>;
  /** Relays, every operation through the gate, until either side ends. */
  serve(client: Pipe, sessions: Sessions, greeting: G): Promise<void>;
  /** Says no in the protocol's own words; the connection is closed afterwards. */
  refuse(client: Pipe, denial: Denial): void;
  /** Says that something went wrong: the code and what to do, never the cause. The connection is closed afterwards. */
  fail(client: Pipe, fault: Fault): void;
}
