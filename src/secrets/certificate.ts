import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { makeCertificate } from './x509.ts';

/** A certificate the gateway made for itself. */
export interface OwnCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Path of the authority's certificate: what clients name as `sslrootcert` for `verify-full`. */
  readonly ca: string;
}

const DAY = 24 * 3_600_000;
/** What clients accept at most from a public authority (CA/Browser Forum ballot SC31), taken as good manners. */
const SERVER_DAYS = 397;
const AUTHORITY_DAYS = 3650;
const RENEW_BEFORE = 30 * DAY;
/** Clocks of clients may be behind. */
const BACKDATED = 3_600_000;
const ALWAYS = ['localhost', '127.0.0.1', '::1'];

/**
 * The certificate in `<dir>/cert.pem` with its key in `key.pem` (0600), signed by an authority of this gateway alone
 * in `ca.pem`. Made at the first start; made anew when it is about to expire or does not name all hosts. The authority
 * stays the same for ten years, so that clients need not be told of a renewal. Throws Fault SECRET_UNAVAILABLE, or
 * CONFIG_INVALID for a host that cannot be in a certificate.
 */
export async function ownCertificate(dir: string, hosts: readonly string[], now: number): Promise<OwnCertificate> {
  const names = [...new Set([...ALWAYS, ...hosts])];
  const ca = join(dir, 'ca.pem');
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const authority = loadAuthority(dir, now) ?? (await makeAuthority(dir, now));
    const found = loadServer(dir, authority, names, now) ?? (await makeServer(dir, authority, names, now));
    return { ...found, ca };
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('SECRET_UNAVAILABLE', `the gateway's own certificate in ${dir} cannot be made or read`, { cause });
  }
}

interface Authority {
  readonly certificate: X509Certificate;
  readonly subject: string;
  readonly key: KeyObject;
}

function loadAuthority(dir: string, now: number): Authority | undefined {
  const pem = read(join(dir, 'ca.pem'));
  const keyPem = read(join(dir, 'ca.key'));
  if (pem === undefined || keyPem === undefined) return undefined;
  const certificate = new X509Certificate(pem);
  const key = createPrivateKey(keyPem);
  const lasts = Date.parse(certificate.validTo) > now + (SERVER_DAYS + 1) * DAY;
  if (!lasts || !certificate.checkPrivateKey(key)) return undefined;
  return { certificate, subject: certificate.subject.replace(/^CN=/, ''), key };
}

async function makeAuthority(dir: string, now: number): Promise<Authority> {
  // A number, so that the authorities of two gateways are told apart in a client's list.
  const subject = `Sallyport gateway authority ${randomBytes(4).toString('hex')}`;
  const { certificate: pem, key } = await makeCertificate({
    subject,
    issuer: undefined,
    notBefore: now - BACKDATED,
    notAfter: now + AUTHORITY_DAYS * DAY,
    hosts: [],
  });
  write(join(dir, 'ca.key'), pemOf(key), 0o600);
  write(join(dir, 'ca.pem'), pem, 0o644);
  return { certificate: new X509Certificate(pem), subject, key };
}

function loadServer(
  dir: string,
  authority: Authority,
  names: readonly string[],
  now: number,
): { certificate: string; key: string } | undefined {
  const certificate = read(join(dir, 'cert.pem'));
  const key = read(join(dir, 'key.pem'));
  if (certificate === undefined || key === undefined) return undefined;
  const server = new X509Certificate(certificate);
  const isSound =
    server.checkPrivateKey(createPrivateKey(key)) &&
    server.verify(authority.certificate.publicKey) &&
    Date.parse(server.validFrom) <= now &&
    Date.parse(server.validTo) > now + RENEW_BEFORE &&
    names.every((name) => (isIP(name) ? server.checkIP(name) : server.checkHost(name)) !== undefined);
  return isSound ? { certificate, key } : undefined;
}

async function makeServer(
  dir: string,
  authority: Authority,
  names: readonly string[],
  now: number,
): Promise<{ certificate: string; key: string }> {
  const { certificate, key } = await makeCertificate({
    subject: 'Sallyport gateway',
    issuer: authority,
    notBefore: now - BACKDATED,
    notAfter: now + SERVER_DAYS * DAY,
    hosts: names,
  });
  write(join(dir, 'key.pem'), pemOf(key), 0o600);
  write(join(dir, 'cert.pem'), certificate, 0o644);
  return { certificate, key: pemOf(key) };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all. */
function write(path: string, text: string, mode: number): void {
  const fresh = `${path}.${randomBytes(4).toString('hex')}`;
  writeFileSync(fresh, text, { mode, flag: 'wx', flush: true });
  renameSync(fresh, path);
}
