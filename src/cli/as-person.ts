import type { GatewayClient } from './client.ts';
import { storedLogin } from './credentials.ts';
import { findGateway, type GatewayOptions } from './gateway.ts';

/**
 * The gateway, asked with the stored login also where its local socket would do without: an answer counts for the
 * person who gives it, and the owner of a socket is nobody in particular.
 */
export async function asPerson(options: GatewayOptions, found?: GatewayClient): Promise<GatewayClient> {
  const gateway = found ?? (await findGateway(options));
  if (gateway.reach.pass !== undefined) return gateway;
  const stored = storedLogin(gateway.reach.url);
  return stored === undefined ? gateway : gateway.withPass(stored.pass);
}
