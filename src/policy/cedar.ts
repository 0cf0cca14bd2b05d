import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { Json } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';

/**
 * The one place that knows the Cedar engine (Rust, compiled to wasm, in this thread). Texts, trees and verdicts go
 * in and out as our own types. It interprets nothing: what an annotation or an error means is said elsewhere.
 * A trap inside the engine surfaces as Fault POLICY_FAILED, here and on every later call: never as an answer.
 */

/** `Type::"id"`. Ids travel as data and are never spliced into policy text. */
export interface Uid {
  readonly type: string;
  readonly id: string;
}

export interface Entity {
  readonly uid: Uid;
  readonly parents: readonly Uid[];
  readonly attrs: Readonly<Record<string, string>>;
}

export interface Request {
  readonly principal: Uid;
  readonly action: string;
  readonly resource: Uid;
  readonly context: Readonly<Record<string, Json>>;
  readonly entities: readonly Entity[];
}

export interface Verdict {
  readonly allowed: boolean;
  /** The policies that determined it: the permits of an allow, the forbids of a deny. */
  readonly policies: readonly string[];
  /** Policies whose evaluation failed. The engine skips them, so a verdict with failures is worth nothing. */
  readonly failed: readonly string[];
}

/** A scope as written: `principal`, `principal == e`, `in e`, `in [e, f]`, `is T`, `is T in e`. */
export type Scope =
  | { readonly op: 'all' }
  | { readonly op: '=='; readonly entity: Uid }
  | { readonly op: 'in'; readonly entities: readonly Uid[] }
  | { readonly op: 'is'; readonly type: string; readonly within: Uid | undefined };

export interface PolicyTree {
  readonly effect: 'permit' | 'forbid';
  readonly annotations: Readonly<Record<string, string>>;
  readonly action: Scope;
  readonly resource: Scope;
  /** Cedar's JSON form of the `when` and `unless` bodies. */
  readonly conditions: readonly Json[];
}

/** Something the engine says about a text. `offset` counts UTF-8 bytes of that text. */
export interface Complaint {
  readonly message: string;
  readonly offset: number;
}

/** Parses one static policy. */
export function parsePolicy(text: string): PolicyTree | Complaint[] {
  const answer = guarded(() => cedar.policyToJson(text));
  if (answer.type === 'failure') return answer.errors.map(complaint);
  const { effect, annotations, action, resource, conditions } = answer.json;
  return {
    effect,
    annotations: Object.fromEntries(Object.entries(annotations ?? {}).map(([key, value]) => [key, value ?? ''])),
    action: scope(action),
    resource: scope(resource),
    conditions: conditions.map((clause) => toJson(clause.body)),
  };
}

/** Number of policies and templates the engine finds in a text; undefined when it does not parse. */
export function countPolicies(text: string): number | undefined {
  const answer = guarded(() => cedar.policySetTextToParts(text));
  return answer.type === 'success' ? answer.policies.length + answer.policy_templates.length : undefined;
}

/** Strict validation of one policy: errors make it unusable, warnings are for its author. */
export function validatePolicy(schema: string, text: string): { errors: Complaint[]; warnings: Complaint[] } {
  const answer = guarded(() => cedar.validate({ schema, policies: { staticPolicies: { policy: text } } }));
  if (answer.type === 'failure') return { errors: answer.errors.map(complaint), warnings: [] };
  return {
    errors: answer.validationErrors.map((entry) => complaint(entry.error)),
    warnings: answer.validationWarnings.map((entry) => complaint(entry.error)),
  };
}

/** Sets kept parsed inside the engine, of all engines of this thread together. */
const SLOTS = 1024;
const owners: (PreparedSet | undefined)[] = [];
let nextSlot = 0;

/** A set of policies the engine keeps parsed; parsed again when its slot was needed for another. */
export class PreparedSet {
  readonly #texts: Readonly<Record<string, string>>;
  #slot = -1;

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = Object.fromEntries(texts);
  }

  evaluate(request: Request): Verdict {
    const slot = this.#claim();
    const answer = guarded(() =>
      cedar.statefulIsAuthorized({
        principal: { ...request.principal },
        action: { type: 'Action', id: request.action },
        resource: { ...request.resource },
        context: writable(request.context),
        preparsedPolicySetId: slotName(slot),
        entities: request.entities.map((entity) => ({
          uid: { ...entity.uid },
          parents: [...entity.parents],
          attrs: { ...entity.attrs },
        })),
      }),
    );
    if (answer.type === 'failure') {
      throw new Fault('POLICY_FAILED', answer.errors.map((error) => error.message).join('; '));
    }
    const { decision, diagnostics } = answer.response;
    return {
      allowed: decision === 'allow',
      policies: diagnostics.reason,
      failed: diagnostics.errors.map((error) => error.policyId),
    };
  }

  #claim(): number {
    if (owners[this.#slot] === this) return this.#slot;
    const slot = nextSlot;
    nextSlot = (nextSlot + 1) % SLOTS;
    owners[slot] = undefined;
    const answer = guarded(() => cedar.preparsePolicySet(slotName(slot), { staticPolicies: { ...this.#texts } }));
    if (answer.type === 'failure') {
      throw new Fault('POLICY_FAILED', answer.errors.map((error) => error.message).join('; '));
    }
    owners[slot] = this;
    this.#slot = slot;
    return slot;
  }
}

function slotName(slot: number): string {
  return `slot-${slot}`;
}

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw new Fault('POLICY_FAILED', 'the policy engine failed', { cause });
  }
}

function complaint(error: cedar.DetailedError): Complaint {
  const message = error.message.replace(/^failed to parse [^:]*: /, '').replace(/^for policy `policy`, /, '');
  return {
    message: error.help ? `${message} (${error.help})` : message,
    offset: error.sourceLocations?.[0]?.start ?? 0,
  };
}

function scope(json: cedar.ActionConstraint | cedar.ResourceConstraint): Scope {
  if (json.op === 'All') return { op: 'all' };
  if (json.op === 'is') {
    const inside = json.in && 'entity' in json.in ? uid(json.in.entity) : undefined;
    return { op: 'is', type: json.entity_type, within: inside };
  }
  if ('slot' in json) throw new Fault('POLICY_INVALID', 'a policy template is not a policy');
  if (json.op === '==') return { op: '==', entity: uid(json.entity) };
  return { op: 'in', entities: 'entities' in json ? json.entities.map(uid) : [uid(json.entity)] };
}

function uid(json: cedar.EntityUidJson): Uid {
  const { type, id } = '__entity' in json ? json.__entity : json;
  return { type, id };
}

function toJson(expression: cedar.Expr): Json {
  return JSON.parse(JSON.stringify(expression)) as Json;
}

function writable(context: Readonly<Record<string, Json>>): cedar.Context {
  return context as cedar.Context;
}
