import type { Action } from '../core/action.ts';
import type { Resource } from '../core/resource.ts';
import { PreparedSet, type Scope } from './cedar.ts';
import { grants, type LoadedPolicies, OWN_PREFIX, type Policy } from './load.ts';
import { encodedTarget, targetOf } from './mentions.ts';
import { groupOf } from './schema.ts';

/** The permit that stands in for permits where only forbids are asked. */
export const UNIVERSAL: string = `${OWN_PREFIX}universal`;

/** The policies that can speak about one action on one target, ready to be asked. */
export interface Slice {
  /** Everything; and everything but the forbids an approval lifts. */
  readonly all: PreparedSet;
  readonly guard: PreparedSet;
  /** Only the forbids, with one permit for everything: for identities that bring no permits. */
  readonly forbids: PreparedSet;
  readonly forbidsGuard: PreparedSet;
  /** Context paths that matter to it, sorted; `*`: all of them. */
  readonly context: readonly string[];
  /** Whether it holds a forbid at all, and a permit. */
  readonly anyForbid: boolean;
  readonly anyPermit: boolean;
}

/**
 * Cuts the loaded policies down by action and by target: a policy is left out only when its scope alone proves that it
 * cannot apply. For named actions, permits that do not name the action are left out too.
 */
export class Slices {
  readonly #policies: readonly Policy[];
  readonly #slices = new Map<string, Slice>();

  constructor(loaded: LoadedPolicies) {
    this.#policies = loaded.policies;
  }

  for(action: Action, resource: Resource): Slice {
    const target = encodedTarget(resource);
    // Targets come from configuration, so this map stays as small as it.
    const key = `${action} ${resource.kind === 'Gateway' ? '' : target}`;
    const known = this.#slices.get(key);
    if (known) return known;
    const slice = build(this.#policies.filter((policy) => applies(policy, action, target)));
    this.#slices.set(key, slice);
    return slice;
  }
}

function applies(policy: Policy, action: Action, target: string): boolean {
  return actionMatches(policy.action, action) && grants(policy, action) && targetMatches(policy.resource, target);
}

function actionMatches(scope: Scope, action: Action): boolean {
  if (scope.op === 'all' || scope.op === 'is') return true;
  const named = scope.op === '==' ? [scope.entity.id] : scope.entities.map((entity) => entity.id);
  const group = scope.op === 'in' ? groupOf(action) : undefined;
  return named.includes(action) || (group !== undefined && named.includes(group));
}

/** Ids of these types start with a target; labels and the gateway say nothing about one. */
const TARGETED = new Set(['Target', 'Database', 'Schema', 'Table', 'Column', 'Function', 'Setting']);

function targetMatches(scope: Scope, target: string): boolean {
  if (scope.op === 'all') return true;
  const within = scope.op === 'is' ? scope.within : undefined;
  const entities = scope.op === '==' ? [scope.entity] : scope.op === 'in' ? scope.entities : within ? [within] : [];
  if (entities.length === 0) return true;
  return entities.some((entity) => !TARGETED.has(entity.type) || targetOf(entity.id) === target);
}

function build(policies: readonly Policy[]): Slice {
  const texts = (kept: readonly Policy[]): Map<string, string> => new Map(kept.map(({ id, text }) => [id, text]));
  const forbids = policies.filter((policy) => policy.effect === 'forbid');
  const hard = (policy: Policy): boolean => policy.approval === undefined;
  const universal: [string, string] = [UNIVERSAL, 'permit (principal, action, resource);'];
  return {
    all: new PreparedSet(texts(policies)),
    guard: new PreparedSet(texts(policies.filter(hard))),
    forbids: new PreparedSet(new Map([...texts(forbids), universal])),
    forbidsGuard: new PreparedSet(new Map([...texts(forbids.filter(hard)), universal])),
    context: contextOf(policies),
    anyForbid: forbids.length > 0,
    anyPermit: forbids.length < policies.length,
  };
}

function contextOf(policies: readonly Policy[]): string[] {
  const paths = new Set(policies.flatMap((policy) => [...policy.mentions.context]));
  return paths.has('*') ? ['*'] : [...paths].sort();
}
