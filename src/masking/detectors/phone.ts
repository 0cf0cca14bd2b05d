import { DIGIT, endsWord, startsWord } from './bytes.ts';
import type { Find } from './hit.ts';

const KEEP_TWO = { kind: 'digits', keep: 2 } as const;
/** E.164: 15 digits at most; fewer than 8 are hardly a number with its country. */
const FEWEST = 8;
const MOST = 15;

/** An international phone number behind the `+` at `plus`: `+44 20 7946 0958`, `+1 (555) 010-9999`. */
export function phone(bytes: Uint8Array, from: number, plus: number, limit: number): Find | undefined {
  if (plus + FEWEST >= limit || bytes[plus + 1] === 0x30 || !startsWord(bytes, from, plus)) return undefined;
  let digits = 0;
  let end = plus;
  for (let i = plus + 1, gap = 0; i < limit && digits <= MOST && gap <= 2; i++) {
    const byte = bytes[i] as number;
    if (DIGIT[byte] === 1) {
      digits++;
      gap = 0;
      end = i + 1;
    } else if (separates(byte)) gap++;
    else break;
  }
  if (digits < FEWEST || digits > MOST || !endsWord(bytes, end, limit)) return undefined;
  return { detector: 'phone', start: plus, end, cover: KEEP_TWO };
}

/** Space, brackets, dash, dot, slash. */
function separates(byte: number): boolean {
  return byte === 0x20 || byte === 0x28 || byte === 0x29 || byte === 0x2d || byte === 0x2e || byte === 0x2f;
}
