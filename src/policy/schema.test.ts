import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action } from '../core/action.ts';
import type { Resource, ResourceKind } from '../core/resource.ts';
import { contextOf } from './context.ts';
import { agentIdentity, entitiesOf, principalIdentity, resourceUid } from './entities.ts';
import { SCHEMA } from './schema.ts';
import { agent, alice, chainOf, contextWith, helper } from './testing/chain.ts';

const PATH = ['shop', 'shop', 'public', 'customers', 'email'];
const DEPTHS: Readonly<Record<Exclude<ResourceKind, 'Gateway'>, number>> = {
  Target: 1,
  Database: 2,
  Schema: 3,
  Setting: 3,
  Table: 4,
  Function: 4,
  Column: 5,
};

/** What each action is asked about, by the rooms that ask. */
function resourcesOf(action: Action): Resource[] {
  const at = (kind: keyof typeof DEPTHS): Resource => ({ kind, path: PATH.slice(0, DEPTHS[kind]) });
  if (action.startsWith('gateway')) return [{ kind: 'Gateway', path: ['sallyport'] }];
  if (action === 'connect' || action === 'impersonate') return [at('Database')];
  if (action === 'reveal' || action === 'filter' || action === 'assign') return [at('Column')];
  if (action === 'admin') return [at('Setting'), at('Database'), at('Function'), at('Table')];
  return [at('Database'), at('Schema'), at('Table'), at('Column'), at('Function')];
}

describe('the schema', () => {
  it.each(ACTIONS)('fits every request we build for %s', (action) => {
    const chain = chainOf(alice, [{ agent: agent('ci'), purpose: 'fix' }, { agent: helper('h') }]);
    const workload = { ...alice, kind: 'workload' as const };
    for (const identity of [principalIdentity(alice), principalIdentity(workload), agentIdentity(helper('h'))]) {
      for (const resource of resourcesOf(action)) {
        const ask = { action, resource, labels: resource.kind === 'Gateway' ? [] : ['pii.email', 'prod'] };
        for (const context of [contextWith(), contextWith({ source: '/run/sallyport.sock' })]) {
          const answer = cedar.isAuthorized({
            principal: { ...identity.uid },
            action: { type: 'Action', id: action },
            resource: { ...resourceUid(resource) },
            context: contextOf(chain, alice.id, context) as cedar.Context,
            schema: SCHEMA,
            validateRequest: true,
            policies: { staticPolicies: 'permit (principal, action, resource);' },
            // With a schema the engine knows the actions itself.
            entities: entitiesOf(identity, ask)
              .filter(({ uid }) => uid.type !== 'Action')
              .map(({ uid, parents, attrs }) => ({ uid: { ...uid }, parents: [...parents], attrs: { ...attrs } })),
          });
          expect(answer).toMatchObject({ type: 'success', response: { decision: 'allow' } });
        }
      }
    }
  });

  it('groups actions as caveats do', () => {
    const json = cedar.schemaToJson(SCHEMA);
    if (json.type === 'failure') throw new Error(json.errors.map(({ message }) => message).join());
    const actions = json.json['']?.actions ?? {};
    const inside = (group: string): string[] =>
      Object.keys(actions).filter((name) => actions[name]?.memberOf?.some(({ id }) => id === group));
    expect(inside('read').sort()).toEqual(['copy-out', 'introspect', 'lock', 'select']);
    expect(inside('write').sort()).toEqual(['copy-in', 'delete', 'insert', 'truncate', 'update']);
  });
});
