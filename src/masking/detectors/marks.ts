import type { Detector, Find } from './hit.ts';
import { ipv6, mayBeIpv6 } from './ip.ts';
import { passport } from './passport.ts';
import { mayBePhone, phone } from './phone.ts';
import { cloudKey, jwt, mayBeCloudKey, mayBeJwt, mayBeToken, token, urlPassword } from './secret.ts';

const [PLUS, DASH, SLASH, COLON, FILLER, LETTER_I, LETTER_J, LETTER_P, UNDERSCORE] = [
  0x2b, 0x2d, 0x2f, 0x3a, 0x3c, 0x49, 0x4a, 0x50, 0x5f,
];

/** What single characters are part of: the ones that stand in few other things. Their neighbours tell most of them. */
export class Marks {
  /** The characters to look at. */
  readonly bytes: readonly number[];
  readonly #secret: boolean;
  readonly #ip: boolean;

  constructor(wanted: (detector: Detector) => boolean) {
    this.#secret = wanted('secret');
    this.#ip = wanted('ip');
    this.bytes = [
      ...(wanted('phone') ? [PLUS] : []),
      ...(this.#secret ? [DASH, UNDERSCORE, LETTER_I, LETTER_J] : []),
      ...(this.#secret || this.#ip ? [COLON] : []),
      ...(wanted('passport') ? [FILLER] : []),
    ];
  }

  /** What the mark at `at` is part of. */
  find(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
    switch (bytes[at]) {
      case DASH:
      case UNDERSCORE:
        return mayBeToken(bytes, from, at, limit) ? token(bytes, from, at, limit) : undefined;
      case COLON:
        return this.#colon(bytes, from, at, limit);
      case PLUS:
        return mayBePhone(bytes, at, limit) ? phone(bytes, from, at, limit) : undefined;
      case FILLER:
        return at > from && bytes[at - 1] === LETTER_P ? passport(bytes, from, at, limit) : undefined;
      case LETTER_I:
        return mayBeCloudKey(bytes, from, at, limit) ? cloudKey(bytes, from, at, limit) : undefined;
      case LETTER_J:
        return mayBeJwt(bytes, from, at) ? jwt(bytes, from, at, limit) : undefined;
      default:
        return undefined;
    }
  }

  #colon(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
    if (at + 1 < limit && bytes[at + 1] === SLASH) return this.#secret ? urlPassword(bytes, at, limit) : undefined;
    return this.#ip && mayBeIpv6(bytes, from, at, limit) ? ipv6(bytes, from, at, limit) : undefined;
  }
}
