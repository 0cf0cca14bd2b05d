import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ownCertificate } from '../secrets/certificate.ts';
import { systemClock } from './system.ts';
import type { Resolve } from './targets.ts';

export interface WiredCertificate {
  readonly certificate: string;
  readonly key: string;
  /** Path of the authority to trust, where the gateway made its own. */
  readonly ca: string | undefined;
}

/** The operator's certificate, or one of the gateway's own. Throws Fault SECRET_UNAVAILABLE. */
export async function certificateOf(config: Config, resolve: Resolve): Promise<WiredCertificate> {
  const { tls, listen } = config;
  if (tls !== undefined) {
    return { certificate: await resolve(tls.certificate), key: await resolve(tls.key), ca: undefined };
  }
  const everywhere = new Set(['0.0.0.0', '::']);
  const hosts = [new URL(config.url).hostname.replace(/^\[|\]$/g, ''), listen.https.host, listen.postgres.host];
  return await ownCertificate(
    join(config.data, 'tls'),
    hosts.filter((host) => !everywhere.has(host)),
    systemClock.now(),
  );
}
