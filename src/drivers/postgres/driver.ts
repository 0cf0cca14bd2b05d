import type { Denial } from '../../core/decision.ts';
import type { Fault } from '../../core/fault.ts';
import type { Authenticator } from '../../core/login.ts';
import type { Sessions } from '../../core/session.ts';
import type { Driver } from '../driver.ts';
import type { Pipe, ServerTls } from '../pipe.ts';
import { fatalFault, fatalOf } from './denial.ts';
import { greet, type PostgresGreeting } from './greet.ts';
import { type RelayDeps, relay } from './relay.ts';

/**
 * Speaks PostgreSQL's protocol 3 on both sides: as a server to clients, as a client to targets. It refuses to be a
 * pooler (one client connection is one upstream connection), a rewriter of SQL, or a judge.
 *
 * Each direction is a lane. The client lane reads messages in order and stops at each operation until the gate has
 * cleared it; the server lane matches answers to questions and masks rows. What is refused is replaced by a message
 * that fails upstream too, so that the server's transaction ends as the client believes it did (denial.ts).
 */
export class PostgresDriver implements Driver<PostgresGreeting> {
  readonly protocol = 'postgres';
  readonly #tls: () => ServerTls;
  readonly #deps: RelayDeps;

  constructor(tls: () => ServerTls, deps: RelayDeps) {
    this.#tls = tls;
    this.#deps = deps;
  }

  greet(client: Pipe, auth: Authenticator, signal: AbortSignal): Promise<PostgresGreeting | Denial | undefined> {
    return greet(client, { tls: this.#tls, cancel: (key) => this.#deps.cancels.request(key), auth }, signal);
  }

  async serve(client: Pipe, sessions: Sessions, greeting: PostgresGreeting): Promise<void> {
    const session = await sessions.open(greeting);
    if ('effect' in session) return this.refuse(client, session);
    await relay(client.stream, session, greeting, this.#deps);
  }

  refuse(client: Pipe, denial: Denial): void {
    client.write(fatalOf(denial));
    client.stream.end();
  }

  fail(client: Pipe, fault: Fault): void {
    client.write(fatalFault(fault, undefined));
    client.stream.end();
  }
}
