import { createHash } from 'node:crypto';
import type { Decision } from '../core/decision.ts';
import type { AuditType, Json } from '../core/evidence.ts';
import type { SqlFacts } from '../core/facts.ts';
import type { Parameter } from '../core/operation.ts';
import { resourceId } from '../core/resource.ts';

import { secretless } from './secretless.ts';

/*
 * The words of events and recording entries, as JSON text. Most of what is said of an operation is what was said of the
 * one before; it is put into words once.
 */

declare const whole: unique symbol;
/** What stands between the braces of a JSON object. Made in this file only, so that no value can end its string early. */
export type Members = string & { readonly [whole]: true };

/** At least one field must be defined. */
export function members(fields: Readonly<Record<string, Json | undefined>>): Members {
  return JSON.stringify(fields).slice(1, -1) as Members;
}

/** The beginning of an event. Names of ours, times and numbers need no escaping. */
export function opening(type: AuditType, at: number): Members {
  return `"v":1,"type":"${type}","at":"${timeOf(at)}"` as Members;
}

export function numbered(sequence: number): Members {
  return `"seq":${Math.trunc(sequence)}` as Members;
}

/** No name may stand in two of them. */
export function object(first: Members, ...more: readonly Members[]): string {
  let text = `{${first}`;
  for (const each of more) text += `,${each}`;
  return `${text}}`;
}

let second = { number: Number.NaN, text: '' };

/** RFC 3339, milliseconds, UTC. Many records are made in the same second. */
export function timeOf(at: number): string {
  const number = Math.floor(at / 1000);
  if (second.number !== number) second = { number, text: new Date(number * 1000).toISOString().slice(0, -4) };
  return `${second.text}${String(Math.trunc(at - number * 1000)).padStart(3, '0')}Z`;
}

const ofFacts = new WeakMap<SqlFacts, Members>();

export function aboutFacts(facts: SqlFacts): Members {
  const known = ofFacts.get(facts);
  if (known !== undefined) return known;
  const uses = facts.statements.flatMap((statement) => statement.uses);
  const about = members({
    verbs: facts.statements.map((statement) => statement.verb),
    resources: [...new Set(uses.map((use) => `${use.action} ${resourceId(use.resource)}`))],
    labelled: labelled(facts),
    fingerprint: facts.fingerprint,
    statement: facts.normalised,
  });
  ofFacts.set(facts, about);
  return about;
}

/** `read shop/shop/public/customers/email pii.email`: uses and labels are single words. Undefined where there is none. */
function labelled({ statements }: SqlFacts): string[] | undefined {
  const uses = statements.flatMap(({ columns }) => columns.filter(({ besides }) => besides === undefined));
  const words = uses.flatMap(({ use, column, labels }) => {
    return labels.map(({ label }) => `${use} ${resourceId(column)} ${label}`);
  });
  return words.length === 0 ? undefined : [...new Set(words)];
}

const ofDecisions = new WeakMap<Decision, Members>();

export function aboutDecision(decision: Decision): Members {
  const known = ofDecisions.get(decision);
  if (known !== undefined) return known;
  const { effect, policies } = decision;
  const about = members({
    decision: effect,
    policies,
    ...(effect === 'deny'
      ? { reason: decision.reason, message: decision.message, hint: decision.hint, hints: decision.hints }
      : {}),
    ...(effect === 'hold' ? { rules: decision.rules, request: decision.request } : {}),
    ...(effect === 'permit' ? { masked: masked(decision), approval: decision.approval } : {}),
  });
  ofDecisions.set(decision, about);
  return about;
}

const ofObserved = new WeakMap<Decision, Members>();

/** What enforcing would have said; undefined where it had said the same. */
export function aboutObserved(decision: Decision): Members | undefined {
  if (decision.effect === 'permit') return undefined;
  const known = ofObserved.get(decision);
  if (known !== undefined) return known;
  const about = members({
    would: decision.effect,
    would_policies: decision.policies,
    ...(decision.effect === 'deny'
      ? {
          would_reason: decision.reason,
          would_message: decision.message,
          would_hint: decision.hint,
          would_hints: decision.hints,
        }
      : { would_rules: decision.rules, would_message: decision.message }),
  });
  ofObserved.set(decision, about);
  return about;
}

function masked(decision: Extract<Decision, { effect: 'permit' }>): string[] {
  return decision.obligations.flatMap((obligation) => {
    switch (obligation.kind) {
      case 'mask':
        return [`${obligation.column} ${obligation.style}`];
      case 'redact':
        return [`${obligation.column} whole`];
      case 'source':
        return obligation.columns.map(({ column, masks }) => `${column} source ${masks.map(styleOf).join(' ')}`);
      default:
        return [];
    }
  });
}

function styleOf({ style, path }: { readonly style: string; readonly path?: readonly string[] }): string {
  return path === undefined ? style : `${path.join('.')}:${style}`;
}

/** Characters and bytes of parameters that one entry holds; what goes beyond is recorded by its digest. */
const MOST_PARAMETERS = 1 << 20;

export function recordable(parameters: readonly Parameter[] | undefined): Json[] | null {
  if (parameters === undefined) return null;
  let left = MOST_PARAMETERS;
  return parameters.map((parameter): Json => {
    if (parameter === null) return null;
    left -= parameter.length;
    if (left < 0) return { length: parameter.length, sha256: createHash('sha256').update(parameter).digest('hex') };
    return typeof parameter === 'string'
      ? secretless(parameter)
      : { base64: Buffer.from(parameter).toString('base64') };
  });
}
