import type { AuditEvent } from '../../core/evidence.ts';
import { Bounded } from './bounded.ts';
import { mostFirst, Span, text } from './fields.ts';
import { Labelled } from './labelled.ts';
import type { ReportedChain, ReportedFind, TargetReport } from './report.ts';
import { type Stop, Stopped, stopOf } from './stopped.ts';

/** The types of events that a report is made of. */
export const REPORTED: readonly AuditEvent['type'][] = [
  'session.start',
  'session.refused',
  'session.end',
  'operation.cleared',
  'operation.held',
  'operation.denied',
  'operation.done',
];

export interface ReportAbout {
  readonly target: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  /** The chain of a session that began before `since`, in words. */
  readonly chainOf: (session: string) => Promise<string | undefined>;
}

const MOST_CHAINS = 500;
/** Live sessions whose chain is remembered. Of more, those asked about first are asked for again. */
const MOST_SESSIONS = 10_000;
const MOST_DETECTORS = 100;

interface Chain {
  readonly principal: string;
  readonly chain: string;
  readonly span: Span;
  stopped: number;
}

interface Session {
  readonly chain: string | undefined;
  /** Number of the last operation that was held. */
  held: number | undefined;
}

interface Find {
  readonly detector: string;
  readonly span: Span;
  values: number;
}

/** Reads the events of one target once, in their order, in memory that does not grow with their number. */
export async function tally(events: AsyncIterable<AuditEvent>, about: ReportAbout): Promise<TargetReport> {
  const counting = new Tally(about);
  for await (const event of events) await counting.add(event);
  return counting.report;
}

class Tally {
  readonly #about: ReportAbout;
  readonly #chains = new Bounded<Chain>(MOST_CHAINS);
  readonly #stopped = new Stopped();
  readonly #labelled = new Labelled();
  readonly #found = new Bounded<Find>(MOST_DETECTORS);
  readonly #sessions = new Map<string, Session>();
  readonly #counts = { cleared: 0, denied: 0, held: 0, would_deny: 0, would_hold: 0, failed: 0 };
  readonly #started = { started: 0, refused: 0 };

  constructor(about: ReportAbout) {
    this.#about = about;
  }

  async add(event: AuditEvent): Promise<void> {
    const session = text(event['session']) ?? '';
    switch (event.type) {
      case 'session.start':
        this.#started.started += 1;
        this.#remember(session, text(event['chain']));
        return;
      case 'session.refused':
        this.#started.refused += 1;
        return;
      case 'session.end':
        this.#sessions.delete(session);
        return;
      case 'operation.done':
        this.#done(event);
        return;
      case 'operation.cleared':
      case 'operation.held':
      case 'operation.denied':
        await this.#operation(event, session);
        return;
      default:
        return;
    }
  }

  get report(): TargetReport {
    const { target, since, until } = this.#about;
    return {
      target,
      since: new Date(since).toISOString(),
      until: new Date(until).toISOString(),
      sessions: this.#started,
      operations: this.#counts,
      who: mostFirst(
        this.#chains.values.map(({ principal, chain, span, stopped }): ReportedChain => {
          return { principal, chain, ...span.told, stopped };
        }),
      ),
      groups: this.#stopped.groups,
      labelled: this.#labelled.columns,
      found: this.#found.values
        .map(({ detector, span, values }): ReportedFind => ({ detector, values, ...span.told }))
        .toSorted((a, b) => b.values - a.values),
      left_out: { who: this.#chains.leftOut, ...this.#stopped.leftOut, labelled: this.#labelled.leftOut },
    };
  }

  async #operation(event: AuditEvent, session: string): Promise<void> {
    const known = await this.#session(session);
    const principal = text(event['principal']) ?? '';
    const chain = known.chain ?? principal;
    const stop = stopOf(event);
    const seq = typeof event['seq'] === 'number' ? event['seq'] : undefined;
    if (event.type === 'operation.held') {
      known.held = seq;
      this.#counts.held += 1;
      if (stop) this.#stopped.add(event, stop, chain);
      return; // what became of it is told by the next event of the same number
    }
    const wasHeld = known.held !== undefined && known.held === seq;
    this.#count(event, stop);
    const who = this.#chains.at(JSON.stringify([principal, chain]), () => ({
      principal,
      chain,
      span: new Span(),
      stopped: 0,
    }));
    who?.span.add(event.at);
    if (who && (stop || wasHeld)) who.stopped += 1;
    if (stop && !wasHeld) this.#stopped.add(event, stop, chain);
    if (event.type === 'operation.cleared') this.#labelled.add(event);
  }

  #count(event: AuditEvent, stop: Stop | undefined): void {
    if (event.type === 'operation.denied') this.#counts.denied += 1;
    else this.#counts.cleared += 1;
    if (stop?.enforced === false) this.#counts[stop.effect === 'deny' ? 'would_deny' : 'would_hold'] += 1;
  }

  #done(event: AuditEvent): void {
    if (text(event['error']) !== undefined) this.#counts.failed += 1;
    const { found } = event;
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return;
    for (const [detector, values] of Object.entries(found)) {
      if (typeof values !== 'number') continue;
      const known = this.#found.at(detector, () => ({ detector, span: new Span(), values: 0 }));
      known?.span.add(event.at);
      if (known) known.values += values;
    }
  }

  async #session(id: string): Promise<Session> {
    return this.#sessions.get(id) ?? this.#remember(id, await this.#about.chainOf(id));
  }

  #remember(id: string, chain: string | undefined): Session {
    const session: Session = { chain, held: undefined };
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(id, session);
    return session;
  }
}
