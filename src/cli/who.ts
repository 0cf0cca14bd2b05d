import type { GatewayClient } from './client.ts';
import { Failure } from './failure.ts';
import { type JsonObject, list, object, text } from './json.ts';

/** Something with an id that people know by a name. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * A principal by its id, by the name it goes by in passes (an e-mail address), or `me`. A name that several go by is
 * none: which of them is meant must be said.
 */
export async function principalOf(wanted: string, gateway: GatewayClient): Promise<Named> {
  if (wanted === 'me') return await self(gateway);
  return one(wanted, await known(gateway, 'principal'), 'person or workload');
}

/** The same for an agent. */
export async function agentOf(wanted: string, gateway: GatewayClient): Promise<Named> {
  return one(wanted, await known(gateway, 'agent'), 'agent');
}

async function self(gateway: GatewayClient): Promise<Named> {
  const principal = object(object(await gateway.get('/v1/whoami'))['principal']);
  const named = { id: text(principal['id']), name: text(principal['name']) };
  if (named.id !== '') return named;
  throw new Failure('over the local socket nobody is logged in, so "me" is nobody', {
    hint: 'Say who, or name the gateway with --url after "sallyport login".',
  });
}

async function known(gateway: GatewayClient, what: 'principal' | 'agent'): Promise<Named[]> {
  const grants = list(object(await gateway.get('/v1/grants?all=true&limit=1000'))['grants']).map(object);
  const found = grants.map((grant: JsonObject) => object(grant[what]));
  const named = found.map((one) => ({ id: text(one['id']), name: text(one['name']) })).filter(({ id }) => id !== '');
  return [...new Map(named.map((one) => [one.id, one])).values()];
}

function one(wanted: string, all: readonly Named[], what: string): Named {
  const exact = all.find(({ id }) => id === wanted);
  if (exact) return exact;
  const [first, second] = all.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (first && !second) return first;
  if (first) {
    const ids = all.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase()).map(({ id }) => id);
    throw new Failure(`several go by ${wanted}:\n  ${ids.join('\n  ')}`, { hint: 'Say which, by its id.', exit: 2 });
  }
  // An id of somebody who never had a pass here is one all the same; the gateway says whether it knows it.
  if (/[|/]/.test(wanted)) return { id: wanted, name: wanted };
  throw new Failure(`no ${what} called ${wanted} has had a pass here`, {
    hint: '"sallyport pass list --all" shows who has; an id is written <issuer>|<subject>.',
  });
}
