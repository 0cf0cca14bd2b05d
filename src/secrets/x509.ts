import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import { parseBlock } from '../core/network.ts';
import { bits, integer, objectId, octets, sequence, set, TRUE, time, tlv, utf8 } from './der.ts';

/** What a certificate says (RFC 5280), as far as the gateway makes any. Signed with ECDSA and SHA-256. */
export interface CertificateContent {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly subject: string; readonly key: KeyObject };
  readonly notBefore: number;
  readonly notAfter: number;
  /** Names and addresses of a server; undefined: it is an authority that signs servers. */
  readonly hosts: readonly string[] | undefined;
}

const COMMON_NAME = '2.5.4.3';
const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const SUBJECT_KEY = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALTERNATIVE_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** PEM. Throws Fault CONFIG_INVALID for a host that is neither a name nor an address. */
export function makeCertificate(content: CertificateContent): string {
  const { subject, publicKey, issuer, notBefore, notAfter, hosts } = content;
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f || 1;
  const extensions = hosts ? serverExtensions(hosts) : AUTHORITY_EXTENSIONS;
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_SHA256,
    nameOf(issuer.subject),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    spki(publicKey),
    tlv(
      0xa3,
      sequence(
        ...extensions,
        extension(SUBJECT_KEY, octets(keyIdOf(publicKey))),
        extension(AUTHORITY_KEY, sequence(tlv(0x80, keyIdOf(createPublicKey(issuer.key))))),
      ),
    ),
  );
  const certificate = sequence(body, ECDSA_SHA256, bits(sign('sha256', body, issuer.key)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const AUTHORITY_EXTENSIONS: readonly Buffer[] = [
  // An authority, of servers only: no authority below it.
  critical(BASIC_CONSTRAINTS, sequence(TRUE, integer(Buffer.from([0])))),
  critical(KEY_USAGE, bits(Buffer.from([0x06]), 1)), // keyCertSign, cRLSign
];

function serverExtensions(hosts: readonly string[]): Buffer[] {
  return [
    critical(BASIC_CONSTRAINTS, sequence()),
    critical(KEY_USAGE, bits(Buffer.from([0x80]), 7)), // digitalSignature
    extension(EXTENDED_KEY_USAGE, sequence(objectId(SERVER_AUTHENTICATION))),
    extension(ALTERNATIVE_NAMES, sequence(...hosts.map(generalName))),
  ];
}

const DNS_NAME =
  /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

function generalName(host: string): Buffer {
  const address = host.includes('/') ? undefined : parseBlock(host);
  if (address) {
    const digits = address.base.toString(16).padStart(address.family === 4 ? 8 : 32, '0');
    return tlv(0x87, Buffer.from(digits, 'hex'));
  }
  if (!DNS_NAME.test(host)) throw new Fault('CONFIG_INVALID', `no certificate can name ${JSON.stringify(host)}`);
  return tlv(0x82, Buffer.from(host));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), octets(value));
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), TRUE, octets(value));
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectId(COMMON_NAME), utf8(commonName))));
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** RFC 7093 §2: 160 bits of the SHA-256 of the key. */
function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20);
}
