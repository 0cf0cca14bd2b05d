import type { Answer, ApprovalRequest, ApprovalScope, Verdict } from '../core/approval.ts';
import { Fault } from '../core/fault.ts';
import { isAsker, mayBreakGlass, type Person, rulesFor, tally } from './rule.ts';

/*
 * The life of a request: waiting, then approved, denied, withdrawn or expired; approved, then used or expired. Every
 * step is a function from one value to the next; the store runs it under a lock on the row, so that of two that come
 * at once the second sees what the first did.
 */

/** The request as it stands now: what nobody touched in time has expired. */
export function at(request: ApprovalRequest, now: number): ApprovalRequest {
  const isOpen = request.state === 'waiting' || request.state === 'approved';
  return isOpen && now >= request.expiresAt ? { ...request, state: 'expired' } : request;
}

/** Without the answers of people whose access, or the group they answered for, was revoked since. */
export function standing(request: ApprovalRequest, isStruck: (answer: Answer) => boolean): ApprovalRequest {
  if (request.state !== 'waiting' && request.state !== 'approved') return request;
  const answers = request.answers.filter((answer) => !isStruck(answer));
  if (answers.length === request.answers.length) return request;
  return { ...request, answers, state: tally(request, answers) };
}

export interface NewAnswer {
  readonly by: Person & { readonly name: string };
  readonly verdict: Verdict;
  readonly reason: string;
  readonly scope: ApprovalScope;
}

/**
 * Adds an answer. Throws Fault CONFLICT where the request is not waiting any more or this person has answered, and
 * NOT_PERMITTED where they may not answer it.
 */
export function answered(before: ApprovalRequest, answer: NewAnswer, now: number): ApprovalRequest {
  const request = at(before, now);
  if (request.state !== 'waiting') throw new Fault('CONFLICT', `request ${request.id} is ${request.state} already`);
  const { by, verdict, scope } = answer;
  if (request.answers.some((one) => one.by.id === by.id)) {
    throw new Fault('CONFLICT', `you have answered request ${request.id} already; another person has to`);
  }
  admit(request, answer, now);
  const answers: Answer[] = [
    ...request.answers,
    { ...answer, by: { id: by.id, name: by.name, groups: by.groups }, at: now },
  ];
  const state = tally(request, answers);
  const next = { ...request, answers, state };
  if (state !== 'approved') return next;
  const lasting = Math.min(...request.rules.map((rule) => rule.expires)) * 1000;
  return {
    ...next,
    scope: narrowest(answers.map((one) => one.scope).concat(scope)),
    // Granted time starts with the approval.
    expiresAt: now + lasting,
    reviewDue: verdict === 'break-glass',
  };
}

function admit(request: ApprovalRequest, { by, verdict, reason, scope }: NewAnswer, now: number): void {
  const allowed = request.rules.every((rule) => scope === 'once' || rule.scopes.includes(scope));
  if (!allowed) throw notPermitted(`no rule of this request allows the scope ${scope}`);
  if (scope === 'fingerprint' && request.alike === undefined) {
    throw notPermitted('only what reads and does nothing else can be approved for every statement like it');
  }
  if (verdict === 'break-glass') {
    if (!mayBreakGlass(request, by)) throw notPermitted('you are not among those who may break glass for this');
    if (reason.trim() === '') throw notPermitted('breaking glass needs a reason');
    return;
  }
  if (rulesFor(request, by, now).length > 0) return;
  if (isAsker(request, by)) throw notPermitted('nobody answers what they ask for themselves');
  throw notPermitted(`you are not among those who are asked (${request.rules.map(({ name }) => name).join(', ')})`);
}

/** Takes a request back; only what waits or was not used yet. Throws Fault CONFLICT. */
export function withdrawn(before: ApprovalRequest, now: number): ApprovalRequest {
  const request = at(before, now);
  if (request.state !== 'waiting' && request.state !== 'approved') {
    throw new Fault('CONFLICT', `request ${request.id} is ${request.state} already`);
  }
  return { ...request, state: 'withdrawn' };
}

/** Somebody has looked at what was done when glass was broken. */
export function reviewed(request: ApprovalRequest): ApprovalRequest {
  return { ...request, reviewDue: false };
}

/** What is asked for now, as far as approvals look at it. */
export interface Wanted {
  readonly digest: string;
  readonly alike: string | undefined;
  readonly around: string;
  readonly session: string | undefined;
}

/** Whether an approved request, as it stands now, covers what is wanted. */
export function covers(request: ApprovalRequest, wanted: Wanted): boolean {
  if (request.state !== 'approved') return false;
  switch (request.scope) {
    case 'once':
      return request.digest === wanted.digest && request.uses === 0;
    case 'session':
      return request.digest === wanted.digest && request.asker.session === wanted.session;
    case 'fingerprint':
      return request.alike !== undefined && request.alike === wanted.alike;
    case 'window':
      return request.around === wanted.around;
  }
}

/** Uses an approval; undefined where there is nothing to use. `once` is used up by it. */
export function redeemed(before: ApprovalRequest, wanted: Wanted, now: number): ApprovalRequest | undefined {
  if (!covers(at(before, now), wanted)) return undefined;
  return { ...before, uses: before.uses + 1, state: before.scope === 'once' ? 'used' : before.state };
}

const WIDTH: Readonly<Record<ApprovalScope, number>> = { once: 0, session: 1, fingerprint: 2, window: 3 };

function narrowest(scopes: readonly ApprovalScope[]): ApprovalScope {
  return scopes.reduce((least, scope) => (WIDTH[scope] < WIDTH[least] ? scope : least));
}

function notPermitted(message: string): Fault {
  return new Fault('NOT_PERMITTED', message);
}
