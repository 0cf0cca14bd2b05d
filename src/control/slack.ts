import { type Link, linksTo } from '../approvals/notify/links.ts';
import type { SlackAction } from '../approvals/notify/slack-action.ts';
import { isAsker } from '../approvals/rule.ts';
import { asFault, Fault } from '../core/fault.ts';
import type { Origin } from '../core/login.ts';
import type { PrincipalId } from '../core/principal.ts';
import { giveAnswer } from './approving.ts';
import { type Caller, fromAllowedSource } from './caller.ts';
import { faultProblem, HttpProblem } from './http-problem.ts';
import type { ControlPorts, SlackWorkspace } from './ports.ts';

export interface Pressed {
  readonly action: SlackAction;
  readonly workspace: SlackWorkspace;
  readonly origin: Origin;
}

/**
 * Takes the pressing of a button for the answer of the person it belongs to, by the same road as an answer over the
 * API: the person is who the configuration says the user is, with a login that still stands and the groups of that
 * login. Whatever Slack vouches for is that its user pressed it; so what needs a fresh login is only linked to. Resolves
 * to what the user is to be told; undefined where the message will say it.
 */
export async function answerFrom(
  { action, workspace, origin }: Pressed,
  ports: ControlPorts,
): Promise<string | undefined> {
  const principal = workspace.people.get(action.user);
  if (principal === undefined)
    return 'Nobody here knows who you are in Slack: an administrator can add you. Or answer there:';
  const caller = await lastLogin(principal, origin, ports);
  if (caller === undefined) return 'You are not logged in any more. Log in, and answer there:';
  if (!fromAllowedSource(caller.login, origin.address))
    return 'Your login is limited to certain addresses. Answer there:';
  const request = await ports.approvals.store.find(action.request);
  const { principal: person } = caller.login.chain.grants[0];
  if (request !== undefined && isAsker(request, person))
    return 'What is asked in your own name is confirmed with a fresh login, there:';
  try {
    await giveAnswer(
      caller,
      action.request,
      { verdict: action.verdict, reason: '', scope: 'once', via: 'slack' },
      ports,
    );
    return undefined;
  } catch (thrown) {
    const problem = thrown instanceof HttpProblem ? thrown : faultProblem(asFault(thrown));
    if (problem.status >= 500) throw thrown;
    return `Not taken: ${problem.message}.`;
  }
}

type LoginCaller = Extract<Caller, { kind: 'login' }>;

/** The last login that nobody narrowed, if it still stands. An earlier one may have groups that are gone. */
async function lastLogin(
  principal: PrincipalId,
  origin: Origin,
  { grants, clock }: ControlPorts,
): Promise<LoginCaller | undefined> {
  const logins = await grants.list({ principal, roots: true, limit: 100 });
  const last = logins.find(
    ({ grant }) => grant.parent === undefined && grant.principal.id === principal && grant.caveats.scopes === undefined,
  );
  if (last === undefined || last.revoked !== undefined || last.grant.expires <= clock.now()) return undefined;
  return { kind: 'login', login: { chain: { grants: [last.grant] }, binding: 'bearer' }, origin };
}

/** Where a request is answered without Slack. */
export function linkOf(request: string, { config }: Pick<ControlPorts, 'config'>): Link {
  return linksTo(request, { origin: config().url });
}

/** Throws Fault CONFLICT for what was sent before: the same bytes, or the same pressing of a button. */
export async function onlyOnce(keys: readonly string[], until: number, { grants }: ControlPorts): Promise<void> {
  for (const key of keys) {
    if (!(await grants.once('slack', key, until))) throw new Fault('CONFLICT', 'this was sent before');
  }
}
