import { BACKSLASH, BASE64, DIGIT, STAR } from './bytes.ts';

export type Detector = 'card' | 'ssn' | 'email' | 'phone' | 'iban' | 'secret' | 'nino' | 'ip' | 'passport' | 'entropy';

/** What a detector found, and what is to be covered of it. Scanning goes on at `end`. */
export interface Find {
  readonly detector: Detector;
  readonly start: number;
  readonly end: number;
  readonly cover: Cover;
}

/** Which bytes of a find are covered. The length never changes. */
export type Cover =
  /** Digits, the last `keep` of them apart. */
  | { readonly kind: 'digits'; readonly keep: number }
  /** Everything but the `@` and the dots behind it. */
  | { readonly kind: 'address' }
  /** Everything from the start on. */
  | { readonly kind: 'all' }
  /** Base64 letters, the letters of escapes apart. */
  | { readonly kind: 'armour' };

export const ALL: Cover = { kind: 'all' };
export const ADDRESS: Cover = { kind: 'address' };
export const ARMOUR: Cover = { kind: 'armour' };

const NINE = 0x39;
const AT = 0x40;
const DOT = 0x2e;

/**
 * Covers a find, from `start` on, in place with stars. `bare` is set where a number stands for itself in JSON: then nines, so that it
 * stays a number.
 */
export function cover(bytes: Uint8Array, start: number, find: Pick<Find, 'end' | 'cover'>, bare: boolean): void {
  const { end, cover: how } = find;
  switch (how.kind) {
    case 'digits': {
      let keep = how.keep;
      for (let i = end - 1; i >= start; i--) {
        if (DIGIT[bytes[i] as number] === 0) continue;
        if (keep > 0) keep--;
        else bytes[i] = bare ? NINE : STAR;
      }
      return;
    }
    case 'address':
      for (let i = start, domain = false; i < end; i++) {
        if (bytes[i] === AT) domain = true;
        else if (!domain || bytes[i] !== DOT) bytes[i] = STAR;
      }
      return;
    case 'all':
      // Not `fill`: the call costs more than most finds are long.
      for (let i = start; i < end; i++) bytes[i] = STAR;
      return;
    case 'armour':
      for (let i = start; i < end; i++) {
        if (bytes[i] === BACKSLASH) i++;
        else if (BASE64[bytes[i] as number] === 1) bytes[i] = STAR;
      }
      return;
  }
}
