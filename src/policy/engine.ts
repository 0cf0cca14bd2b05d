import type { Action } from '../core/action.ts';
import { combine, type Decision, deny } from '../core/decision.ts';
import { Fault } from '../core/fault.ts';
import { agentsOf, type Chain, rootOf } from '../core/grant.ts';
import type { Ask, AskContext, PolicyEngine } from '../core/policy.ts';
import type { Principal } from '../core/principal.ts';
import { type Resource, resourceId } from '../core/resource.ts';
import type { PreparedSet, Request } from './cedar.ts';
import { contextOf, project } from './context.ts';
import { agentIdentity, entitiesOf, type Identity, principalIdentity, resourceUid } from './entities.ts';
import type { LoadedPolicies, Policy } from './load.ts';
import { Memo } from './memo.ts';
import { namesColumns } from './mentions.ts';
import { forbidden, held, unpermitted } from './messages.ts';
import { type Slice, Slices, UNIVERSAL } from './sets.ts';

/**
 * Decides what policies say about one question (policy.md §1). For every identity of the chain two sets are asked:
 * ALL, and, when only forbids that an approval lifts stood in the way, GUARD (ALL without those). ALL permits: permit.
 * Only liftable forbids and GUARD permits: hold. Anything else, and any failed evaluation: deny.
 *
 * It refuses to know about caveats, budgets and answered approvals: with those in here, "nobody permits it" and
 * "somebody must be asked" could not be told apart. It reads no files and keeps no session's state.
 */
export class CedarEngine implements PolicyEngine {
  #epoch = 0;
  #loaded: LoadedPolicies = { policies: [], warnings: [] };
  #byId = new Map<string, Policy>();
  #slices = new Slices(this.#loaded);
  #memo = new Memo<Decision>(MEMO_SIZE);
  #columns = new Map<string, boolean>();
  readonly #keys = new WeakMap<object, string>();
  readonly #contexts = new WeakMap<AskContext, { readonly chain: Chain; readonly full: Full }>();

  constructor(loaded: LoadedPolicies) {
    this.load(loaded);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get policies(): readonly Policy[] {
    return this.#loaded.policies;
  }

  /** Replaces all policies at once and forgets every earlier answer. */
  load(loaded: LoadedPolicies): void {
    this.#epoch += 1;
    this.#loaded = loaded;
    this.#byId = new Map(loaded.policies.map((policy) => [policy.id, policy]));
    this.#slices = new Slices(loaded);
    this.#memo = new Memo(MEMO_SIZE);
    this.#columns = new Map();
  }

  decide(chain: Chain, ask: Ask, context: AskContext): Decision {
    return combine(this.trace(chain, ask, context).map((step) => step.decision));
  }

  decideGateway(principal: Principal, action: Action, context: AskContext): Decision {
    const resource: Resource = { kind: 'Gateway', path: ['sallyport'] };
    const ask: Ask = { action, resource, labels: [] };
    return this.#step(
      principalIdentity(principal),
      principal,
      ask,
      () => contextOf(undefined, principal.id, context),
      context,
    );
  }

  wording(policies: readonly string[]): string {
    return policies.map((id) => `@id(${JSON.stringify(id)}) ${this.#byId.get(id)?.text ?? ''}`).join('\n');
  }

  namesColumnsOf(table: Resource): boolean {
    const id = resourceId(table);
    const known = this.#columns.get(id);
    if (known !== undefined) return known;
    const answer = namesColumns(
      this.#loaded.policies.map((policy) => policy.mentions),
      table,
    );
    if (this.#columns.size >= MEMO_SIZE) this.#columns = new Map();
    this.#columns.set(id, answer);
    return answer;
  }

  /** The same decision, one step per identity: the root principal first, then each agent from the outside in. */
  trace(chain: Chain, ask: Ask, context: AskContext): IdentityStep[] {
    const { principal } = rootOf(chain);
    const fullContext = (): Full => this.#fullContext(chain, principal.id, context);
    const steps = [{ identity: principalIdentity(principal), of: principal as object }];
    for (const agent of agentsOf(chain)) steps.push({ identity: agentIdentity(agent), of: agent });
    return steps.map(({ identity, of }) => ({
      identity,
      decision: this.#step(identity, of, ask, fullContext, context),
    }));
  }

  #step(identity: Identity, of: object, ask: Ask, context: () => Full, { now, filter }: AskContext): Decision {
    try {
      const slice = this.#slices.for(ask.action, ask.resource);
      const projected = project(slice.context.length > 0 ? context() : {}, slice.context);
      const timed = slice.context.includes('now') || slice.context.includes('*');
      // Policies name whole seconds, so within one an answer that read the time stays the same.
      const second = Math.floor(now / 1000);
      const seen = timed ? { ...projected, now: second } : projected;
      // The grade of a filter is part of what a denial says, whether policies look at it or not.
      const key = JSON.stringify([this.#keyOf(identity, of), ask, seen, filter]);
      const known = this.#memo.get(key);
      if (known) return known;

      const { uid: principal } = identity;
      const resource = resourceUid(ask.resource);
      const request = {
        principal,
        action: ask.action,
        resource,
        context: projected,
        entities: entitiesOf(identity, ask),
      };
      const decision = this.#evaluate(slice, { identity, ask, filter }, request);
      const limited = timed && decision.effect !== 'deny' ? { ...decision, validUntil: (second + 1) * 1000 } : decision;
      this.#memo.set(key, limited);
      return limited;
    } catch (thrown) {
      const why =
        thrown instanceof Fault && thrown.code === 'POLICY_FAILED' ? 'the policy engine failed' : 'a fault on the way';
      return deny('policy-fault', `${ask.action} could not be decided: ${why}`);
    }
  }

  #evaluate(slice: Slice, { identity, ask, filter }: Question, request: Request): Decision {
    const own = identity.brings === 'permits' && ask.permitted !== true;
    if (!own && !slice.anyForbid) return { effect: 'permit', policies: [], obligations: [] };
    if (own && !slice.anyPermit && !slice.anyForbid) return unpermitted(identity, ask, filter);

    const all = this.#ask(own ? slice.all : slice.forbids, request);
    if ('effect' in all) return all;
    if (all.allowed) return { effect: 'permit', policies: all.policies, obligations: [] };
    const forbids = all.policies.flatMap((id) => this.#byId.get(id) ?? []);
    if (forbids.length === 0) return unpermitted(identity, ask, filter);
    if (forbids.length !== all.policies.length) return deny('policy-fault', 'a policy decided that is not loaded');
    const hard = forbids.filter((policy) => policy.approval === undefined);
    if (hard.length > 0) return forbidden(identity, ask, hard);

    const guard = this.#ask(own ? slice.guard : slice.forbidsGuard, request);
    if ('effect' in guard) return guard;
    return guard.allowed ? held(ask, forbids) : unpermitted(identity, ask, filter);
  }

  #ask(set: PreparedSet, request: Request): Decision | { allowed: boolean; policies: string[] } {
    const verdict = set.evaluate(request);
    if (verdict.failed.length > 0) {
      const policies = [...verdict.failed].sort();
      return deny('policy-fault', `policy ${policies.join(', ')} failed while it was evaluated`, { policies });
    }
    const policies = verdict.policies.filter((id) => id !== UNIVERSAL).sort();
    return { allowed: verdict.allowed, policies };
  }

  /** One statement asks many questions in one context: it is spelled out once. */
  #fullContext(chain: Chain, principal: string, context: AskContext): Full {
    const known = this.#contexts.get(context);
    if (known?.chain === chain) return known.full;
    const full = contextOf(chain, principal, context);
    this.#contexts.set(context, { chain, full });
    return full;
  }

  #keyOf(identity: Identity, of: object): string {
    const known = this.#keys.get(of);
    if (known !== undefined) return known;
    const { uid, groups, attrs, brings } = identity;
    const key = JSON.stringify([uid.type, uid.id, [...groups].sort(), attrs, brings]);
    this.#keys.set(of, key);
    return key;
  }
}

type Full = ReturnType<typeof contextOf>;

interface Question {
  readonly identity: Identity;
  readonly ask: Ask;
  readonly filter: AskContext['filter'];
}

/** What one identity of the chain contributed to a decision. */
export interface IdentityStep {
  readonly identity: Identity;
  readonly decision: Decision;
}

const MEMO_SIZE = 8192;
