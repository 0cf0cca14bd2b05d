import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ServerTls } from '../drivers/pipe.ts';

/** A certificate chain and its key as the listeners use them. Throws what OpenSSL says when they do not fit. */
export function serverTls(certificate: string, key: string): ServerTls {
  return {
    context: createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' }),
    endpoint: endpointData(new X509Certificate(certificate)),
  };
}

/** tls-server-end-point (RFC 5929 §4.1): the hash of the signature algorithm, SHA-256 in place of MD5 and SHA-1. */
function endpointData(certificate: X509Certificate): Uint8Array {
  const algorithm = certificate.signatureAlgorithm ?? '';
  const hash = /512/.test(algorithm) ? 'sha512' : /384/.test(algorithm) ? 'sha384' : 'sha256';
  return createHash(hash).update(certificate.raw).digest();
}
