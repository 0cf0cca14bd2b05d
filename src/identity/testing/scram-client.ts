import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const hmac = (key: Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The client's side of RFC 5802 as a client library would do it, for exchanges with the server under test. */
export class TestScramClient {
  readonly first: string;
  readonly #password: string;
  readonly #header: string;
  readonly #binding: Uint8Array;
  #serverSignature = '';

  constructor(
    password: string,
    options: { nonce?: string; header?: string; binding?: Uint8Array; user?: string } = {},
  ) {
    const { nonce = 'fyko+d2lbbFgONRv9qkxdawL', header = 'n,,', binding = new Uint8Array(), user = '' } = options;
    this.#password = password;
    this.#header = header;
    this.#binding = binding;
    this.first = `${header}n=${user},r=${nonce}`;
  }

  final(serverFirst: string): string {
    const [, nonce = '', salt = '', iterations = ''] = /^r=(.*),s=(.*),i=(\d+)$/.exec(serverFirst) ?? [];
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const channel = Buffer.concat([Buffer.from(this.#header), this.#binding]).toString('base64');
    const withoutProof = `c=${channel},r=${nonce}`;
    const transcript = `${this.first.slice(this.#header.length)},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), transcript);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), transcript).toString('base64');
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Whether the server proved that it knows the secret too. */
  accepts(serverFinal: string): boolean {
    return serverFinal === `v=${this.#serverSignature}`;
  }
}
