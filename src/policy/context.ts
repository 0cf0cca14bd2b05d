import type { Json } from '../core/evidence.ts';
import { agentsOf, type Chain, currentOf, rootOf, weakestOf } from '../core/grant.ts';
import { canonicalAddress } from '../core/network.ts';
import type { AskContext } from '../core/policy.ts';

type Record_ = Readonly<Record<string, Json>>;

/** The context of a request as schema.ts describes it. */
export function contextOf(chain: Chain | undefined, principal: string, context: AskContext): Record_ {
  const source = canonicalAddress(context.source);
  const { verb, bounded, count } = context.statement;
  return {
    statement: { verb, bounded, count },
    chain: { ...chainOf(chain, principal), binding: context.binding },
    ...(source === undefined ? {} : { source: { __extn: { fn: 'ip', arg: source } } }),
    filter: context.filter ?? 'none',
    now: { __extn: { fn: 'datetime', arg: new Date(context.now).toISOString() } },
  };
}

function chainOf(chain: Chain | undefined, principal: string): Record_ {
  const agents = chain ? agentsOf(chain) : [];
  const purpose = chain?.grants.findLast((grant) => grant.purpose !== undefined)?.purpose;
  const proved = agents.filter((agent) => agent.assurance !== 'asserted');
  return {
    root: chain ? rootOf(chain).principal.id : principal,
    actor: (chain && currentOf(chain).agent?.id) ?? principal,
    depth: chain ? chain.grants.length - 1 : 0,
    agents: unique(agents.map((agent) => agent.id)),
    kinds: unique(agents.map((agent) => agent.kind)),
    classes: unique(proved.map((agent) => agent.class)),
    weakest: chain ? weakestOf(chain) : 'attested',
    ...(purpose === undefined ? {} : { purpose }),
  };
}

/** Only what is at these paths (`*`: all of it). What no policy reads need not be sent, nor tell two requests apart. */
export function project(context: Record_, paths: readonly string[]): Record_ {
  if (paths.includes('*')) return context;
  const projected: Record<string, Json> = {};
  for (const path of paths) {
    const [head = '', rest] = path.split('.');
    const value = context[head];
    if (value === undefined) continue;
    if (rest === undefined || !isRecord(value)) {
      projected[head] = value;
      continue;
    }
    const already = projected[head];
    const part = value[rest];
    if (already === value) continue;
    projected[head] = { ...(isRecord(already) ? already : {}), ...(part === undefined ? {} : { [rest]: part }) };
  }
  return projected;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

function isRecord(value: Json | undefined): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
