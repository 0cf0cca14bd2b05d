import 'reflect-metadata'; // @peculiar/x509 needs it before it is loaded
import { createPrivateKey, type KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { Fault } from '../core/fault.ts';

// The one wrapper of @peculiar/x509.

/** What a certificate says (RFC 5280), as far as the gateway makes any. ECDSA on P-256, signed with SHA-256. */
export interface CertificateContent {
  readonly subject: string;
  /** Who signs it; undefined: the certificate's own new key, which makes it an authority of servers. */
  readonly issuer: { readonly subject: string; readonly key: KeyObject } | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Names and addresses of a server; empty for an authority. */
  readonly hosts: readonly string[];
}

export interface MadeCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: KeyObject;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
const LABEL = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const HOST = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** A new key and a certificate for it. Throws Fault CONFIG_INVALID for a host that is neither a name nor an address. */
export async function makeCertificate(content: CertificateContent): Promise<MadeCertificate> {
  const { subject, issuer, hosts } = content;
  const wrong = hosts.find((host) => isIP(host) === 0 && (host.length > 253 || !HOST.test(host)));
  if (wrong !== undefined) throw new Fault('CONFIG_INVALID', `"${wrong}" is neither a host name nor an address`);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const signer = issuer === undefined ? keys : await signerOf(issuer.key);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${subject}`,
    issuer: `CN=${issuer?.subject ?? subject}`,
    notBefore: new Date(content.notBefore),
    notAfter: new Date(content.notAfter),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    extensions: [
      ...(issuer === undefined ? authorityExtensions() : serverExtensions(hosts)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  });
  const exported = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = createPrivateKey({ key: Buffer.from(exported), format: 'der', type: 'pkcs8' });
  return { certificate: `${certificate.toString('pem')}\n`, key };
}

function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

function serverExtensions(hosts: readonly string[]): x509.Extension[] {
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }) as const);
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([SERVER_AUTHENTICATION]),
    new x509.SubjectAlternativeNameExtension(names),
  ];
}

async function signerOf(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const { d: _private, ...jwk } = key.export({ format: 'jwk' });
  return {
    privateKey: await webcrypto.subtle.importKey(
      'pkcs8',
      key.export({ type: 'pkcs8', format: 'der' }),
      ALGORITHM,
      false,
      ['sign'],
    ),
    publicKey: await webcrypto.subtle.importKey('jwk', jwk, ALGORITHM, true, ['verify']),
  };
}

/** Positive and unpredictable (RFC 5280 §4.1.2.2). */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
