import { alikeOf, aroundOf, digestOf } from '../../approvals/digest.ts';
import type { ApprovalStore } from '../../approvals/ports.ts';
import { covers, redeemed, type Wanted } from '../../approvals/request.ts';
import type { ApprovalRequest, ApprovalRule, Asker } from '../../core/approval.ts';
import type { Clock, Random } from '../../core/clock.ts';
import type { Denial, Hold, Permit } from '../../core/decision.ts';
import { Fault } from '../../core/fault.ts';
import type { Feed } from '../../core/feed.ts';
import { agentsOf, type Chain, currentOf, describeChain, rootOf } from '../../core/grant.ts';
import { newId } from '../../core/id.ts';
import type { Operation } from '../../core/operation.ts';
import type { PolicyEngine } from '../../core/policy.ts';
import type { Principal } from '../../core/principal.ts';
import type { Patience } from '../../core/session.ts';
import type { Asked } from '../gate.ts';
import { isEstimable } from './estimable.ts';
import { shown } from './shown.ts';
import { Turns } from './turns.ts';
import { changed, refusal, taken, unfit, waitingFor } from './words.ts';

export interface HoldsPorts {
  readonly store: ApprovalStore;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: Random;
  readonly engine: PolicyEngine;
  readonly rules: () => readonly ApprovalRule[];
  /** Asks the target how many rows an operation is about; undefined where it cannot say. */
  readonly estimate: (target: string, operation: Operation) => Promise<number | undefined>;
  /** Milliseconds that a client is kept waiting at most. */
  readonly patience: () => number;
}

/** Who asks, and where. */
export interface HeldSession {
  /** Undefined: asked ahead of time, without a session. */
  readonly id: string | undefined;
  readonly chain: Chain;
  readonly target: { readonly name: string };
  readonly signal: AbortSignal;
}

/** Uses of the store at once: hundreds may ask or be answered in one moment, and others need it too. */
const AT_ONCE = 4;
/** A client is told again that it waits. */
const REMIND_EVERY = 30_000;
/** Looked at a little after it expired rather than a little before. */
const GRACE = 20;

/**
 * What is held on this worker. A hold is a row, a timer and an entry here, so that hundreds are cheap; answers come by
 * the feed, whoever gave them on whichever node.
 */
export class Holds {
  readonly #ports: HoldsPorts;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #turns = new Turns(AT_ONCE);
  readonly #planners = new Turns(1);
  readonly #unsubscribe: () => void;

  constructor(ports: HoldsPorts) {
    this.#ports = ports;
    this.#unsubscribe = ports.feed.subscribe((entry) => {
      if (entry.kind === 'approval') for (const wake of this.#waiting.get(entry.id) ?? []) wake();
    });
  }

  close(): void {
    this.#unsubscribe();
  }

  /** The request for an operation that is held; `purpose`: beside those of the grants. Throws Fault STORE_UNAVAILABLE, POLICY_FAILED. */
  async ask(
    session: HeldSession,
    operation: Operation,
    hold: Hold,
    purpose?: string,
  ): Promise<Asked & { readonly made: ApprovalRequest }> {
    const wanted = this.#wanted(session, operation, hold);
    const fresh = this.#fresh(session, operation, { hold, wanted, purpose });
    const request = await this.#turns.take(() => this.#ports.store.open(wanted, fresh));
    if (request.id === fresh.id && isEstimable(operation))
      void this.#estimate(request.id, session.target.name, operation);
    return {
      made: request,
      request: request.id,
      answer: (patience) => this.#answer(request, { session, wanted }, patience),
      redeem: (now) => this.#redeem(request, this.#wanted(session, operation, now), now),
    };
  }

  /** Comes when it comes: nobody waits for it, and without it the request is as good. */
  async #estimate(id: string, target: string, operation: Operation): Promise<void> {
    try {
      const estimate = await this.#planners.take(() => this.#ports.estimate(target, operation));
      if (estimate === undefined) return;
      await this.#ports.store.change(id, (request) =>
        request.state === 'waiting' ? { ...request, effect: { ...request.effect, estimate } } : undefined,
      );
    } catch {
      // An approver decides without it.
    }
  }

  #wanted(session: HeldSession, operation: Operation, hold: Hold): Wanted {
    const setting = {
      chain: session.chain,
      target: session.target.name,
      searchPath: operation.searchPath,
      policies: this.#ports.engine.wording(hold.policies),
      rules: this.#rulesOf(hold),
    };
    return {
      digest: digestOf(operation, setting),
      alike: alikeOf(operation, setting),
      around: aroundOf(operation, setting),
      session: session.id,
    };
  }

  #fresh(
    session: HeldSession,
    operation: Operation,
    { hold, wanted, purpose }: { readonly hold: Hold; readonly wanted: Wanted; readonly purpose: string | undefined },
  ): Parameters<ApprovalStore['open']>[1] {
    const { clock, random } = this.#ports;
    const rules = this.#rulesOf(hold);
    const { chain } = session;
    const root = rootOf(chain);
    return {
      id: newId(clock, random),
      asker: {
        principal: personOf(root.principal),
        agents: agentsOf(chain).map(({ id, name, kind, assurance }) => ({ id, name, kind, assurance })),
        chain: describeChain(chain),
        grant: currentOf(chain).id,
        transaction: root.transaction,
        purpose: [...chain.grants.map((grant) => grant.purpose), purpose].filter((each) => each !== undefined),
        session: session.id,
      },
      effect: shown(operation, session.target.name, hold),
      rules,
      digest: wanted.digest,
      alike: wanted.alike,
      around: wanted.around,
      lasts: Math.min(...rules.map((rule) => rule.expires)) * 1000,
    };
  }

  #rulesOf(hold: Hold): readonly ApprovalRule[] {
    const known = this.#ports.rules();
    return hold.rules.map((name) => {
      const rule = known.find((one) => one.name === name);
      if (rule === undefined) throw new Fault('POLICY_FAILED', `there is no approval rule ${name}`);
      return rule;
    });
  }

  async #answer(
    request: ApprovalRequest,
    { session, wanted }: { readonly session: HeldSession; readonly wanted: Wanted },
    patience: Patience | undefined,
  ): Promise<Denial | 'approved'> {
    if (covers(request, wanted)) return 'approved';
    if (this.#ports.patience() === 0) return refusal(request);
    if (patience === undefined || !(await patience.settle())) return unfit(request);
    const gone = AbortSignal.any([session.signal, patience.signal]);
    const settled = await this.#wait(request, patience, gone);
    if (gone.aborted) return taken(request);
    if (settled === undefined || !covers(settled, wanted)) return refusal(settled ?? request);
    return (await patience.unchanged()) ? 'approved' : changed(request);
  }

  /** Statements that wait now. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, waiters) => sum + waiters.size, 0);
  }

  /** Until the request is settled, the client gone, or the wait over: undefined. */
  async #wait(request: ApprovalRequest, patience: Patience, gone: AbortSignal): Promise<ApprovalRequest | undefined> {
    const { store, clock } = this.#ports;
    const began = clock.monotonic();
    const most = this.#ports.patience();
    const tell = (): void => patience.tell(waitingFor(request, clock.monotonic() - began));
    let wake: () => void = () => undefined;
    let isStirred = false;
    const stir = (): void => {
      isStirred = true;
      wake();
    };
    const remind = (): void => {
      tell();
      stir();
    };
    // Nobody tells of an expiry. This clock may be wrong about when; then the reminder finds out.
    const left = Math.min(Math.max(0, request.expiresAt - clock.now()) + GRACE, most);
    const timers = [setInterval(remind, REMIND_EVERY), setTimeout(stir, most), setTimeout(stir, left)];
    const waiters = this.#waiting.get(request.id) ?? new Set();
    this.#waiting.set(request.id, waiters.add(stir));
    gone.addEventListener('abort', stir);
    try {
      tell();
      for (;;) {
        // Asked before it waits: the answer may have come before anybody listened.
        isStirred = false;
        const now = await this.#turns.take(() => store.find(request.id));
        if (now === undefined || now.state !== 'waiting') return now;
        if (gone.aborted || clock.monotonic() - began >= most) return undefined;
        if (!isStirred) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      for (const timer of timers) clearTimeout(timer);
      gone.removeEventListener('abort', stir);
      waiters.delete(stir);
      if (waiters.size === 0) this.#waiting.delete(request.id);
    }
  }

  async #redeem({ id }: ApprovalRequest, wanted: Wanted, hold: Hold): Promise<Permit | Denial> {
    let isUsed = false;
    const after = await this.#ports.store.change(id, (request, now) => {
      const next = redeemed(request, wanted, now);
      isUsed = next !== undefined;
      return next;
    });
    if (!isUsed) return refusal(after);
    const { policies, obligations, validUntil } = hold;
    const permit: Permit = { effect: 'permit', policies, obligations, approval: id };
    return validUntil === undefined ? permit : { ...permit, validUntil };
  }
}

function personOf({ id, name, manager }: Principal): Asker['principal'] {
  return manager === undefined ? { id, name } : { id, name, manager };
}
