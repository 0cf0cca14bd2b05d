import 'reflect-metadata'; // @peculiar/x509 needs it before it is loaded
import { X509Certificate as NodeCertificate, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { Fault } from '../core/fault.ts';

/** The gateway's own certificate, where the operator brought none. */
export interface OwnCertificate {
  /** PEM: the leaf and the authority that signed it. */
  readonly certificate: string;
  readonly key: string;
  /** Path of the authority's certificate: what clients put into sslrootcert. */
  readonly ca: string;
}

const DAY = 24 * 3_600_000;
/** Browsers take leaves of up to 398 days. */
const LEAF_DAYS = 397;
const RENEW_BEFORE = 30 * DAY;
const CA_DAYS = 3_650;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * ECDSA P-256, in `folder`: an authority made once, and a leaf for `hosts` that is made anew when it is near its end or
 * lacks a host. Throws Fault SECRET_UNAVAILABLE.
 */
export async function ownCertificate(folder: string, hosts: readonly string[], now: number): Promise<OwnCertificate> {
  const path = (name: string) => join(folder, name);
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...hosts])];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(path('ca.pem')) || !existsSync(path('ca.key'))) await makeAuthority(path, now);
    if (!fits(path('cert.pem'), names, now)) await makeLeaf(path, names, now);
    return {
      certificate: readFileSync(path('cert.pem'), 'utf8') + readFileSync(path('ca.pem'), 'utf8'),
      key: readFileSync(path('key.pem'), 'utf8'),
      ca: path('ca.pem'),
    };
  } catch (cause) {
    throw new Fault('SECRET_UNAVAILABLE', `no certificate could be made in ${folder}`, { cause });
  }
}

function fits(path: string, names: readonly string[], now: number): boolean {
  if (!existsSync(path)) return false;
  const certificate = new NodeCertificate(readFileSync(path));
  if (certificate.validToDate.getTime() - now < RENEW_BEFORE) return false;
  return names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined);
}

async function makeAuthority(path: (name: string) => string, now: number): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Sallyport gateway authority',
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + CA_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  write(path('ca.key'), await pemOf(keys.privateKey), 0o600);
  write(path('ca.pem'), `${certificate.toString('pem')}\n`, 0o644);
}

async function makeLeaf(path: (name: string) => string, names: readonly string[], now: number): Promise<void> {
  const authority = new x509.X509Certificate(readFileSync(path('ca.pem'), 'utf8'));
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(readFileSync(path('ca.key'), 'utf8')),
    ALGORITHM,
    false,
    ['sign'],
  );
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=Sallyport gateway',
    issuer: authority.subject,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + LEAF_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']), // serverAuth
      new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) ? 'ip' : 'dns', value: name }))),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  write(path('key.pem'), await pemOf(keys.privateKey), 0o600);
  write(path('cert.pem'), `${certificate.toString('pem')}\n`, 0o644);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** Positive and unpredictable (RFC 5280 §4.1.2.2). */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

/** A reader sees the old file or the new one, never half of one. */
function write(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode, flush: true });
  renameSync(`${path}.new`, path);
}
