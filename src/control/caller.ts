import type { TargetConfig } from '../config/config.ts';
import type { Action } from '../core/action.ts';
import type { Chain, Grant } from '../core/grant.ts';
import { agentsOf, currentOf, describeChain, rootOf } from '../core/grant.ts';
import type { Login, Origin } from '../core/login.ts';
import { parseBlock, within } from '../core/network.ts';
import type { AskContext } from '../core/policy.ts';
import { HttpProblem } from './http-problem.ts';
import type { ControlPorts } from './ports.ts';

/** Who is asking. The owner of the local socket holds the keys and files anyway, and is the bootstrap administrator. */
export type Caller =
  | { readonly kind: 'local'; readonly origin: Origin }
  | { readonly kind: 'login'; readonly login: Login; readonly origin: Origin };

export type GatewayAction = Extract<Action, `gateway-${string}`>;

type Ports = Pick<ControlPorts, 'engine' | 'clock'>;

/** What stands as "by" in evidence. */
export function callerId(caller: Caller): string {
  if (caller.kind === 'local') return 'local socket';
  const { chain } = caller.login;
  return agentsOf(chain).at(-1)?.id ?? rootOf(chain).principal.id;
}

export function callerName(caller: Caller): string {
  return caller.kind === 'local' ? 'local socket' : describeChain(caller.login.chain);
}

/**
 * True for a principal acting in person with a pass that nobody narrowed to certain targets. Only they may use rights
 * over the gateway: an agent holds none, and a pass for one table must not read the audit log.
 */
export function inPerson(caller: Caller): boolean {
  if (caller.kind === 'local') return true;
  const { chain } = caller.login;
  return agentsOf(chain).length === 0 && chain.grants.every((grant) => grant.caveats.scopes === undefined);
}

export function may(caller: Caller, action: GatewayAction, ports: Ports): boolean {
  if (caller.kind === 'local') return true;
  if (!inPerson(caller)) return false;
  const principal = rootOf(caller.login.chain).principal;
  return ports.engine().decideGateway(principal, action, askContext(caller, ports)).effect === 'permit';
}

/** Throws 403 unless one of the actions is permitted. */
export function demand(caller: Caller, actions: readonly GatewayAction[], ports: Ports): void {
  if (actions.some((action) => may(caller, action, ports))) return;
  const names = actions.join(' or ');
  if (caller.kind === 'login' && !inPerson(caller)) {
    throw new HttpProblem(
      403,
      'no-permit',
      `this needs ${names}, which only people acting in person can use, with a pass that is not narrowed`,
    );
  }
  const hint = `permit (principal in Group::"…", action == Action::"${actions[0]}", resource == Gateway::"sallyport");`;
  throw new HttpProblem(403, 'no-permit', `no policy permits you ${names} on the gateway`, hint);
}

export function askContext(caller: Caller, { clock }: Pick<ControlPorts, 'clock'>): AskContext {
  return {
    statement: { verb: 'gateway', bounded: true, count: 1 },
    binding: caller.kind === 'local' ? 'local' : caller.login.binding,
    source: caller.origin.address,
    now: clock.now(),
  };
}

/** Whether the caller may see and end this grant as their own: anything below the pass they hold, or all of a person's. */
export function owns(caller: Caller, grant: Pick<Grant, 'path' | 'principal'>): boolean {
  if (caller.kind === 'local') return true;
  const { chain } = caller.login;
  if (inPerson(caller)) return grant.principal.id === rootOf(chain).principal.id;
  return grant.path.includes(currentOf(chain).id);
}

/**
 * Whether anything at all could be done at a target: it is not hidden from whoever may connect to it. To everybody
 * else, it and its tables are not there.
 */
export function reaches(caller: Caller, target: TargetConfig, ports: Ports): boolean {
  return caller.kind === 'local' || chainReaches(caller.login.chain, target, askContext(caller, ports), ports);
}

export function chainReaches(chain: Chain, target: TargetConfig, context: AskContext, ports: Ports): boolean {
  const scoped = chain.grants.every(
    ({ caveats: { scopes } }) => !scopes || scopes.some((scope) => scope.target === target.name),
  );
  if (!scoped) return false;
  const ask = { action: 'connect', resource: { kind: 'Target', path: [target.name] }, labels: target.labels } as const;
  return ports.engine().decide(chain, ask, context).effect !== 'deny';
}

/** Every `sources` caveat on the path must cover the address. */
export function fromAllowedSource(login: Login, address: string): boolean {
  const client = parseBlock(address);
  return login.chain.grants.every(({ caveats: { sources } }) => {
    if (!sources) return true;
    const blocks = sources.map(parseBlock);
    return client !== undefined && blocks.some((block) => block !== undefined && within(client, block));
  });
}
