import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import type { PassVerifier } from './ports.ts';

/**
 * The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), with tls-server-end-point channel binding
 * (RFC 5929) when -PLUS. Stricter than the RFC where it may be: no authorisation identity, no extensions. Knows
 * nothing of grants: keys come in, a verdict goes out. One value serves one exchange.
 */
export class ScramServer {
  readonly #certificate: Uint8Array | undefined;
  #first: ClientFirst | undefined;
  #serverFirst = '';
  #nonce = '';
  #keys: PassVerifier['scram'] | undefined;
  #done = false;

  /** `certificate` is the tls-server-end-point hash, present exactly when -PLUS was offered to the client. */
  constructor(certificate: Uint8Array | undefined) {
    this.#certificate = certificate;
  }

  /** True once the client's first message chose -PLUS. */
  get bound(): boolean {
    return this.#first?.plus ?? false;
  }

  /** Checks client-first-message. Throws Fault; costs no look-up. */
  receive(mechanism: string, message: string): void {
    if (this.#first) throw new Fault('PROTOCOL_UNEXPECTED', 'SCRAM: a second first message');
    this.#first = readClientFirst(mechanism, message, this.#certificate !== undefined);
  }

  /** Gives server-first-message. */
  challenge(keys: PassVerifier['scram'], serverNonce: string): string {
    if (!this.#first || this.#keys) throw new Fault('PROTOCOL_UNEXPECTED', 'SCRAM: a challenge out of turn');
    this.#keys = keys;
    this.#nonce = this.#first.nonce + serverNonce;
    this.#serverFirst = `r=${this.#nonce},s=${Buffer.from(keys.salt).toString('base64')},i=${keys.iterations}`;
    return this.#serverFirst;
  }

  /** Takes client-final-message, gives server-final-message, or why the proof fails. Works once; throws Fault on grammar. */
  verify(message: string): { readonly serverFinal: string } | { readonly wrong: 'proof' | 'channel binding' } {
    const first = this.#first;
    const keys = this.#keys;
    if (!first || !keys || this.#done) throw new Fault('PROTOCOL_UNEXPECTED', 'SCRAM: a final message out of turn');
    this.#done = true;

    const final = readClientFinal(message);
    if (final.nonce !== this.#nonce) throw malformed('the nonce is not the one of this exchange');
    const bindingData = first.plus ? (this.#certificate ?? new Uint8Array()) : new Uint8Array();
    const expected = Buffer.concat([Buffer.from(first.header), bindingData]);
    const bindingHolds = expected.equals(final.binding);

    const transcript = `${first.bare},${this.#serverFirst},${final.withoutProof}`;
    const clientKey = xor(final.proof, hmac(keys.storedKey, transcript));
    const proofHolds = timingSafeEqual(createHash('sha256').update(clientKey).digest(), keys.storedKey);
    if (!bindingHolds) return { wrong: 'channel binding' };
    if (!proofHolds) return { wrong: 'proof' };
    return { serverFinal: `v=${hmac(keys.serverKey, transcript).toString('base64')}` };
  }
}

interface ClientFirst {
  readonly plus: boolean;
  /** The gs2 header with its last comma. */
  readonly header: string;
  readonly bare: string;
  readonly nonce: string;
}

/** Far above what clients send (some 60 and 130 characters). */
const MAX_MESSAGE = 2048;

/** `saslname` allows any UTF-8 but NUL, comma and a lone `=`; `printable` is ASCII without the comma. */
const CLIENT_FIRST =
  /^((p=[A-Za-z0-9.-]{1,64}|n|y),(a=[^,\0]*)?,)((m=[^,\0]*,)?n=(?:[^,=\0]|=2C|=3D)*,r=([\x21-\x2b\x2d-\x7e]{1,256}))$/u;
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)),p=([A-Za-z0-9+/]{43}=)$/;

function readClientFirst(mechanism: string, message: string, plusOffered: boolean): ClientFirst {
  if (mechanism !== 'SCRAM-SHA-256' && mechanism !== 'SCRAM-SHA-256-PLUS') {
    throw new Fault('PROTOCOL_UNSUPPORTED', 'SASL: the mechanism is not one of those offered');
  }
  const plus = mechanism === 'SCRAM-SHA-256-PLUS';
  if (plus && !plusOffered) throw new Fault('PROTOCOL_UNSUPPORTED', 'SASL: the mechanism is not one of those offered');
  if (message.length > MAX_MESSAGE) throw new Fault('PROTOCOL_LIMIT', 'SCRAM: the first message is too long');

  const [, header, flag, authzid, bare, extension, nonce] = CLIENT_FIRST.exec(message) ?? [];
  if (header === undefined || bare === undefined || nonce === undefined) throw malformed('the first message');
  if (authzid !== undefined) throw new Fault('PROTOCOL_UNSUPPORTED', 'SCRAM: an authorisation identity is not taken');
  if (extension !== undefined) throw new Fault('PROTOCOL_UNSUPPORTED', 'SCRAM: a mandatory extension is not known');
  if (plus && flag !== 'p=tls-server-end-point') {
    throw new Fault('PROTOCOL_UNSUPPORTED', 'SCRAM: only tls-server-end-point channel binding is spoken');
  }
  if (!plus && flag?.startsWith('p=')) throw malformed('channel binding without -PLUS');
  // RFC 5802 §6: a client that could bind but was not offered it, though we offered it: somebody took -PLUS away.
  if (!plus && plusOffered && flag === 'y') {
    throw new Fault('PROTOCOL_UNEXPECTED', 'SCRAM: the offer of channel binding was lost on the way (downgrade)');
  }
  return { plus, header, bare, nonce };
}

function readClientFinal(message: string): { binding: Buffer; nonce: string; withoutProof: string; proof: Buffer } {
  if (message.length > MAX_MESSAGE) throw new Fault('PROTOCOL_LIMIT', 'SCRAM: the final message is too long');
  const [, withoutProof, binding, nonce, proof] = CLIENT_FINAL.exec(message) ?? [];
  if (withoutProof === undefined || binding === undefined || nonce === undefined || proof === undefined) {
    throw malformed('the final message');
  }
  return { binding: strictBase64(binding), nonce, withoutProof, proof: strictBase64(proof) };
}

/** Refuses what decodes leniently: one value has one spelling. */
function strictBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw malformed('base64');
  return bytes;
}

function malformed(what: string): Fault {
  return new Fault('PROTOCOL_MALFORMED', `SCRAM: ${what} is malformed`);
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0));
}
