import type { Action } from '../core/action.ts';
import { type Denial, deny, type Hold } from '../core/decision.ts';
import type { Ask } from '../core/policy.ts';
import { type Resource, resourceId } from '../core/resource.ts';
import type { Uid } from './cedar.ts';
import type { Identity } from './entities.ts';
import type { Policy } from './load.ts';

/** What people are told about a decision. Names and ids only: no values, no statement text. */

export function unpermitted(identity: Identity, ask: Ask, filter?: string): Denial {
  const who = identity.uid.type === 'Agent' ? `to the agent ${identity.name} itself` : `to ${identity.name}`;
  return deny('no-permit', `no policy permits ${what(ask)} ${who}`, {
    hint: permitLine(identity.uid, ask.action, ask.resource, filter === 'equality' ? filter : undefined),
  });
}

export function forbidden(identity: Identity, ask: Ask, forbids: readonly Policy[]): Denial {
  const who = identity.uid.type === 'Agent' ? ` to the agent ${identity.name}` : '';
  const policies = forbids.map((policy) => policy.id).sort();
  return deny('forbidden', `${what(ask)} is forbidden${who} by ${forbids.map(named).join(', ')}`, { policies });
}

export function held(ask: Ask, forbids: readonly Policy[]): Hold {
  const rules = [...new Set(forbids.flatMap((policy) => policy.approval ?? []))].sort();
  return {
    effect: 'hold',
    policies: forbids.map((policy) => policy.id).sort(),
    obligations: [],
    rules,
    message: `${what(ask)} needs approval (${rules.join(', ')}) because of ${forbids.map(named).join(', ')}`,
  };
}

export function what(ask: Pick<Ask, 'action' | 'resource'>): string {
  return `${ask.action} on ${ask.resource.kind.toLowerCase()} ${resourceId(ask.resource)}`;
}

function named(policy: Policy): string {
  return policy.reason ? `policy ${policy.id}: ${policy.reason}` : `policy ${policy.id}`;
}

/** The policy that would allow it, to read or to paste. */
export function permitLine(principal: Uid, action: Action, resource: Resource, filter?: string): string {
  const on = `resource == ${resource.kind}::${quoted(resourceId(resource))}`;
  const who = `principal == ${principal.type}::${quoted(principal.id)}`;
  const when = filter === undefined ? '' : ` when { context.filter == ${quoted(filter)} }`;
  return `permit (${who}, action == Action::${quoted(action)}, ${on})${when};`;
}

/** A Cedar string literal. */
export function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `"${escaped}"`;
}
