import type { Action } from '../core/action.ts';
import type { Agent } from '../core/agent.ts';
import { type Label, labelAncestors } from '../core/label.ts';
import type { Ask } from '../core/policy.ts';
import type { Principal } from '../core/principal.ts';
import { parentOf, type Resource, resourceId } from '../core/resource.ts';
import type { Entity, Uid } from './cedar.ts';
import { groupOf } from './schema.ts';

/** Somebody of the chain as Cedar sees them. Groups are groups; an agent's kind and class are attributes, not groups. */
export interface Identity {
  readonly uid: Uid;
  readonly groups: readonly string[];
  readonly attrs: Readonly<Record<string, string>>;
  /** For people. */
  readonly name: string;
  /** `permits`: brings permits of its own. `forbids`: can only be forbidden. */
  readonly brings: 'permits' | 'forbids';
}

export function principalIdentity(principal: Principal): Identity {
  const type = principal.kind === 'user' ? 'User' : 'Workload';
  const { id, groups, name } = principal;
  return { uid: { type, id }, groups, attrs: {}, name, brings: 'permits' };
}

export function agentIdentity(agent: Agent): Identity {
  const { id, name, kind, class: agentClass, assurance, groups, rights } = agent;
  return {
    uid: { type: 'Agent', id },
    groups,
    attrs: { kind, class: agentClass, assurance },
    name,
    brings: rights === 'own' ? 'permits' : 'forbids',
  };
}

/** Everything the engine needs to place one request in its hierarchies. */
export function entitiesOf(identity: Identity, ask: Ask): Entity[] {
  return [
    { uid: identity.uid, parents: identity.groups.map((id) => ({ type: 'Group', id })), attrs: identity.attrs },
    actionEntity(ask.action),
    ...resourceEntities(ask.resource, ask.labels),
    ...labelEntities(ask.labels),
  ];
}

export function resourceUid(resource: Resource): Uid {
  return { type: resource.kind, id: resourceId(resource) };
}

function actionEntity(action: Action): Entity {
  const group = groupOf(action);
  const parents = group ? [{ type: 'Action', id: group }] : [];
  return { uid: { type: 'Action', id: action }, parents, attrs: {} };
}

function resourceEntities(resource: Resource, labels: readonly Label[]): Entity[] {
  const entities: Entity[] = [];
  let above: readonly Uid[] = labels.map((id) => ({ type: 'Label', id }));
  for (let at: Resource | undefined = resource; at; ) {
    const parent = parentOf(at);
    const parents = parent ? [resourceUid(parent), ...above] : above;
    const attrs = { name: at.path.at(-1) ?? '' };
    entities.push({ uid: resourceUid(at), parents, attrs });
    above = [];
    at = parent;
  }
  return entities;
}

function labelEntities(labels: readonly Label[]): Entity[] {
  const all = new Set(labels.flatMap(labelAncestors));
  return [...all].map((id) => ({
    uid: { type: 'Label', id },
    parents: labelAncestors(id)
      .slice(-2, -1)
      .map((parent) => ({ type: 'Label', id: parent })),
    attrs: {},
  }));
}
