import { DIGIT, endsWord, HEX, isDigit, skip, startsWord, WORD } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

const KEEP_NONE = { kind: 'digits', keep: 0 } as const;
const [DOT, COLON, ZERO] = [0x2e, 0x3a, 0x30];

/** A dotted IPv4 address whose first number is the run of digits `[start, end)`. */
export function ipv4(bytes: Uint8Array, from: number, start: number, end: number, limit: number): Find | undefined {
  if (!startsWord(bytes, from, start) || (start > from && bytes[start - 1] === DOT)) return undefined;
  let stop = end;
  for (let part = 0, at = start; part < 4; part++, at = stop + 1) {
    stop = part === 0 ? end : skip(bytes, at, Math.min(limit, at + 4), DIGIT);
    if (!isOctet(bytes, at, stop)) return undefined;
    if (part < 3 && (stop >= limit || bytes[stop] !== DOT)) return undefined;
  }
  if (!endsWord(bytes, stop, limit)) return undefined;
  // `1.2.3.4.5` is a version or an object identifier.
  if (stop + 1 < limit && bytes[stop] === DOT && isDigit(bytes[stop + 1] as number)) return undefined;
  return { detector: 'ip', start, end: stop, cover: KEEP_NONE };
}

function isOctet(bytes: Uint8Array, at: number, stop: number): boolean {
  const length = stop - at;
  if (length < 1 || length > 3 || (length > 1 && bytes[at] === ZERO)) return false;
  let value = 0;
  for (let i = at; i < stop; i++) value = value * 10 + (bytes[i] as number) - ZERO;
  return value <= 255;
}

/**
 * An IPv6 address (RFC 4291, 2.2) whose first colon is at `colon`: eight groups, or fewer around one `::`. At least two
 * of them, the first with three digits at least: times, and `a::b` of programs, are none.
 */
export function ipv6(bytes: Uint8Array, from: number, colon: number, limit: number): Find | undefined {
  if (colon - 3 < from || HEX[bytes[colon - 2] as number] === 0 || HEX[bytes[colon - 3] as number] === 0)
    return undefined;
  let start = colon;
  while (start > from && colon - start < 4 && HEX[bytes[start - 1] as number] === 1) start--;
  if (colon - start < 3 || !startsWord(bytes, from, start)) return undefined;
  if (start > from && bytes[start - 1] === COLON) return undefined;
  let groups = 1;
  let skipped = false;
  let end = colon;
  while (end < limit && bytes[end] === COLON) {
    const double = end + 1 < limit && bytes[end + 1] === COLON;
    if (double && skipped) return undefined;
    skipped ||= double;
    const at = end + (double ? 2 : 1);
    const stop = skip(bytes, at, Math.min(limit, at + 5), HEX);
    if (stop - at > 4) return undefined;
    if (stop === at) {
      if (!double) return undefined;
      end = at;
      break;
    }
    if (++groups > 8) return undefined;
    end = stop;
  }
  if (skipped ? groups < 2 || groups > 7 : groups !== 8) return undefined;
  if (end < limit && (bytes[end] === COLON || WORD[bytes[end] as number] === 1)) return undefined;
  return { detector: 'ip', start, end, cover: ALL };
}
