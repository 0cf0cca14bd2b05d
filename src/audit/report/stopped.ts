import type { AuditEvent, Json } from '../../core/evidence.ts';
import { Bounded } from './bounded.ts';
import { mostFirst, Span, text, texts } from './fields.ts';
import type { ReportedGroup, ReportedStatement } from './report.ts';

const MOST_GROUPS = 200;
const MOST_STATEMENTS = 2000;
/** Of the chains of one statement, and of the lines that would permit it. */
const FEW = 5;
const MOST_NEEDS = 10;
const MOST_TEXT = 500;

/** Why an operation was stopped, or would have been. */
export interface Stop {
  readonly effect: 'deny' | 'hold';
  readonly enforced: boolean;
  readonly reason: string | undefined;
  readonly policies: readonly string[];
  readonly rules: readonly string[];
  readonly message: string | undefined;
  readonly hints: readonly string[];
}

interface Group {
  readonly stop: Stop;
  readonly span: Span;
  readonly statements: Statement[];
}

interface Statement {
  readonly fingerprint: string | undefined;
  readonly text: string | undefined;
  readonly message: string | undefined;
  readonly span: Span;
  readonly who: Set<string>;
  readonly needs: Set<string>;
}

/** What was stopped, by who decided it and then by fingerprint. */
export class Stopped {
  readonly #groups = new Bounded<Group>(MOST_GROUPS);
  readonly #statements = new Bounded<Statement>(MOST_STATEMENTS);

  add(event: AuditEvent, stop: Stop, who: string): void {
    const key = JSON.stringify([stop.enforced, stop.effect, stop.reason ?? '', stop.policies, stop.rules]);
    const group = this.#groups.at(key, () => ({ stop, span: new Span(), statements: [] }));
    if (group === undefined) return;
    group.span.add(event.at);
    const fingerprint = text(event['fingerprint']);
    const statement = this.#statements.at(JSON.stringify([key, fingerprint ?? '']), () => {
      const made = {
        fingerprint,
        text: text(event['statement'])?.slice(0, MOST_TEXT),
        message: stop.message,
        span: new Span(),
        who: new Set<string>(),
        needs: new Set<string>(),
      };
      group.statements.push(made);
      return made;
    });
    if (statement === undefined) return;
    statement.span.add(event.at);
    if (statement.who.size < FEW) statement.who.add(who);
    for (const hint of stop.hints) if (statement.needs.size < MOST_NEEDS) statement.needs.add(hint);
  }

  get groups(): readonly ReportedGroup[] {
    return mostFirst(
      this.#groups.values.map(({ stop, span, statements }) => {
        const { effect, enforced, reason, policies, rules } = stop;
        return { effect, enforced, reason, policies, rules, ...span.told, statements: mostFirst(statements.map(told)) };
      }),
    );
  }

  get leftOut(): { readonly groups: number; readonly statements: number } {
    return { groups: this.#groups.leftOut, statements: this.#statements.leftOut };
  }
}

function told({ fingerprint, text: statement, message, span, who, needs }: Statement): ReportedStatement {
  return { fingerprint, statement, ...span.told, who: [...who], message, needs: [...needs] };
}

/** How an event says that it was stopped; undefined for what went through as it would have. */
export function stopOf(event: AuditEvent): Stop | undefined {
  const { type, would } = event;
  if (type === 'operation.cleared' && (would === 'deny' || would === 'hold')) {
    return {
      effect: would,
      enforced: false,
      reason: text(event['would_reason']),
      policies: texts(event['would_policies']),
      rules: texts(event['would_rules']),
      message: text(event['would_message']),
      hints: hintsOf(event['would_hint'], event['would_hints']),
    };
  }
  if (type !== 'operation.denied' && type !== 'operation.held') return undefined;
  return {
    effect: type === 'operation.denied' ? 'deny' : 'hold',
    enforced: true,
    reason: text(event['reason']),
    policies: texts(event['policies']),
    rules: texts(event['rules']),
    message: text(event['message']),
    hints: hintsOf(event['hint'], event['hints']),
  };
}

function hintsOf(one: Json | undefined, all: Json | undefined): readonly string[] {
  const several = texts(all);
  return several.length > 0 ? several : texts([one ?? null]);
}
