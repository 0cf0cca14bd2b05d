import { answered } from '../approvals/request.ts';
import { isAsker, mayBreakGlass, type Person, rulesFor } from '../approvals/rule.ts';
import type { ApprovalRequest, ApprovalScope, Verdict } from '../core/approval.ts';
import { Fault } from '../core/fault.ts';
import { currentOf, rootOf } from '../core/grant.ts';
import { type Caller, callerId, inPerson, may } from './caller.ts';
import { HttpProblem } from './http-problem.ts';
import type { ControlPorts } from './ports.ts';

/** A login this young is a fresh one: whoever confirms what an agent does in their name has just been there. */
const FRESH = 10 * 60_000;

/** Whether a caller may know of a request: whoever asks, is asked, or looks after the gateway. */
export function maySee(caller: Caller, request: ApprovalRequest, ports: ControlPorts): boolean {
  if (may(caller, 'gateway-admin', ports) || may(caller, 'gateway-audit', ports)) return true;
  if (caller.kind === 'local') return true;
  if (isOwn(caller, request)) return true;
  const person = personOf(caller);
  return (
    person !== undefined && (rulesFor(request, person, ports.clock.now()).length > 0 || mayBreakGlass(request, person))
  );
}

/** Asked in person or by an agent of this person; an agent sees what was asked with its own pass or below. */
export function isOwn(caller: Caller, { asker }: ApprovalRequest): boolean {
  if (caller.kind === 'local') return false;
  const { chain } = caller.login;
  if (rootOf(chain).principal.id !== asker.principal.id) return false;
  return inPerson(caller) || currentOf(chain).id === asker.grant;
}

/** The person who would answer; undefined: nobody who may. A workload, an agent and the local socket are no people. */
export function personOf(caller: Caller): (Person & { readonly name: string }) | undefined {
  if (caller.kind === 'local' || !inPerson(caller)) return undefined;
  const { principal } = rootOf(caller.login.chain);
  return principal.kind === 'user' ? principal : undefined;
}

export interface WantedAnswer {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly scope: ApprovalScope;
  /** The road it came by, where that is not the API. */
  readonly via?: 'slack';
}

/** What a caller may still say to a request; empty: nothing. */
export function choices(caller: Caller, request: ApprovalRequest, ports: ControlPorts): readonly Verdict[] {
  const person = personOf(caller);
  if (person === undefined || request.state !== 'waiting') return [];
  if (request.answers.some(({ by }) => by.id === person.id)) return [];
  const isAsked = rulesFor(request, person, ports.clock.now()).length > 0 && mayApprove(caller, person, request, ports);
  return [
    ...(isAsked ? (['approve', 'deny'] as const) : []),
    ...(mayBreakGlass(request, person) ? (['break-glass'] as const) : []),
  ];
}

/** Adds a caller's answer. Throws HttpProblem or Fault where it is not theirs to give. */
export async function giveAnswer(
  caller: Caller,
  id: string,
  wanted: WantedAnswer,
  ports: ControlPorts,
): Promise<ApprovalRequest> {
  const person = personOf(caller);
  if (person === undefined) {
    throw new HttpProblem(
      403,
      'NOT_PERMITTED',
      'only people answer, acting in person: not agents or workloads, and not the local socket, which nobody is known by',
      'log in as yourself: sallyport login',
    );
  }
  const { store } = ports.approvals;
  const known = await store.find(id);
  if (known === undefined || !maySee(caller, known, ports))
    throw new HttpProblem(404, 'NOT_FOUND', `there is no request ${id}`);
  const { verdict, reason, scope, via = 'api' } = wanted;
  if (verdict !== 'break-glass') demandApproval(caller, person, known, ports);
  const answer = { by: person, verdict, reason, scope };
  answered(known, answer, ports.clock.now()); // what cannot be is refused before it is written down
  await ports.evidence.audit({
    v: 1,
    type: 'approval.answered',
    at: new Date(ports.clock.now()).toISOString(),
    request: id,
    verdict,
    reason,
    scope,
    via,
    by: callerId(caller),
    name: person.name,
    principal: known.asker.principal.id,
    target: known.effect.target,
  });
  if (verdict === 'break-glass') await alarm(known, person, ports);
  return await store.change(id, (request, now) => answered(request, answer, now));
}

function mayApprove(caller: Caller, person: Person, request: ApprovalRequest, ports: ControlPorts): boolean {
  return isAsker(request, person) ? isFresh(caller, ports) : may(caller, 'gateway-approve', ports);
}

/** Being asked by a rule is one thing, being let by policy another; who confirms for themselves needs a fresh login instead. */
function demandApproval(caller: Caller, person: Person, request: ApprovalRequest, ports: ControlPorts): void {
  if (mayApprove(caller, person, request, ports)) return;
  if (isAsker(request, person)) {
    if (rulesFor(request, person, ports.clock.now()).length === 0)
      throw new Fault('NOT_PERMITTED', 'nobody answers what they ask for themselves');
    throw new HttpProblem(403, 'NOT_PERMITTED', 'confirming needs a login of the last ten minutes', 'sallyport login');
  }
  throw new HttpProblem(
    403,
    'no-permit',
    'no policy permits you to answer approvals',
    'permit (principal in Group::"…", action == Action::"gateway-approve", resource == Gateway::"sallyport");',
  );
}

function isFresh(caller: Caller, { clock }: ControlPorts): boolean {
  return caller.kind === 'login' && clock.now() - rootOf(caller.login.chain).createdAt <= FRESH;
}

async function alarm(
  request: ApprovalRequest,
  person: Person & { readonly name: string },
  ports: ControlPorts,
): Promise<void> {
  await ports.evidence.audit({
    v: 1,
    type: 'alarm',
    at: new Date(ports.clock.now()).toISOString(),
    alarm: 'glass-broken',
    request: request.id,
    by: person.id,
    name: person.name,
    principal: request.asker.principal.id,
    target: request.effect.target,
  });
}
