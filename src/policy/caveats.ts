import { type Denial, deny } from '../core/decision.ts';
import type { Chain, Grant } from '../core/grant.ts';
import { parseBlock, within } from '../core/network.ts';
import type { RowCapObligation } from '../core/obligation.ts';
import { what } from './messages.ts';
import { type Asked, admits, coversAction, coversPlace, reaches, type Thing } from './reach.ts';

/**
 * What the grants of a chain take away. Every grant on the path must cover every single thing: a pass can be narrower
 * than its parent, and a parent narrowed later narrows all below it. Policy is asked elsewhere.
 */

export interface Connecting {
  readonly target: string;
  readonly database: string;
  readonly role: string;
  /** The role is not the target's default one. */
  readonly impersonates: boolean;
  /** The client's address. */
  readonly source: string;
}

/** Whether the chain's grants let a session be opened at all. */
export function coversConnect(chain: Chain, connecting: Connecting): Denial | undefined {
  const source = parseBlock(connecting.source.replace(/%[^/]*$/, ''));
  for (const grant of chain.grants) {
    const { scopes, sources } = grant.caveats;
    if (sources) {
      const blocks = sources.map(parseBlock);
      if (!source || !blocks.some((block) => block && within(source, block))) {
        return shortfall(grant, 'connections from this address');
      }
    }
    const places = scopes?.filter((scope) => coversPlace(scope, connecting));
    if (places?.length === 0) {
      return shortfall(grant, `database ${connecting.database} of target ${connecting.target} as ${connecting.role}`);
    }
    // A role named in the scope was meant; one that only policy could give needs the action as well.
    const mayImpersonate = places?.some((scope) => scope.roles !== undefined || coversAction(scope, 'impersonate'));
    if (connecting.impersonates && mayImpersonate === false) {
      return shortfall(grant, `the role ${connecting.role}`);
    }
  }
  return undefined;
}

/** The first grant of the path that does not reach the thing, as a denial. */
export function coversThing(chain: Chain, asked: Asked, thing: Thing): Denial | undefined {
  const grant = chain.grants.find(({ caveats }) => !reaches(caveats, asked, thing));
  if (!grant) return undefined;
  return bound(grant) && !admits(grant.caveats, asked)
    ? shortfall(grant, 'this statement: it is bound to another')
    : shortfall(grant, what(thing));
}

/** The same for a statement that uses nothing (`SELECT 1`). */
export function coversPlainStatement(chain: Chain, asked: Asked): Denial | undefined {
  const grant = chain.grants.find(({ caveats }) => !admits(caveats, asked));
  if (!grant) return undefined;
  return shortfall(grant, bound(grant) ? 'this statement: it is bound to another' : `target ${asked.target} here`);
}

/** The smallest row cap on the path. */
export function rowCap(chain: Chain): RowCapObligation[] {
  const caps = chain.grants.flatMap((grant) => grant.caveats.rows ?? []);
  return caps.length > 0 ? [{ kind: 'rows', most: Math.min(...caps) }] : [];
}

function bound(grant: Grant): boolean {
  return grant.caveats.scopes?.some((scope) => scope.statement !== undefined) ?? false;
}

function shortfall(grant: Grant, reach: string): Denial {
  const { agent, principal } = grant;
  const whose = agent ? `${agent.name} (${agent.assurance})` : principal.name;
  return deny('caveat', `the pass of ${whose} does not reach ${reach}`, {
    hint: `ask whoever issued grant ${grant.id} for a pass that does`,
  });
}
