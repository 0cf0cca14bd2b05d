import { canonical } from './canonical.ts';
import type { Masker } from './masker.ts';
import { spell } from './spell.ts';
import { type Kind, kindOf, type ResultField } from './types.ts';

type Hash = (bytes: Uint8Array) => Uint8Array;

/** Most bytes of any spelled hash: a uuid or 32 hexadecimal digits in quotes, behind a version byte. */
const ROOM = 40;

/**
 * A value of the same type made from a keyed hash: equal values get equal images, in either format. Kinds with so few
 * values that the image would give them away (bool) and kinds that cannot carry one are left to be redacted.
 */
export function hashMask(field: ResultField, hash: Hash, otherwise: Masker): Masker | undefined {
  const image = IMAGES[kindOf(field.type)];
  if (!image) return undefined;
  return {
    most: (length) => Math.max(ROOM, otherwise.most(length)),
    mask: (from, start, end, to, at) => {
      const value = canonical(field, from.slice(start, end));
      if (value === undefined) return otherwise.mask(from, start, end, to, at);
      const spelled = spell(field, image(hash(value), field));
      if (spelled === undefined) return -1;
      to.set(spelled, at);
      return spelled.length;
    },
  };
}

const IMAGES: Readonly<Partial<Record<Kind, (digest: Uint8Array, field: ResultField) => string>>> = {
  text: (digest) => hex(digest, 16),
  name: (digest) => hex(digest, 7),
  xml: (digest) => hex(digest, 16),
  json: (digest) => `"${hex(digest, 16)}"`,
  jsonb: (digest) => `"${hex(digest, 16)}"`,
  bytea: (digest) => `\\x${hex(digest, 16)}`,
  uuid: (digest) => uuid(digest),
  int2: (digest) => String(number(digest, 15n)),
  int4: (digest) => String(number(digest, 31n)),
  int8: (digest) => String(number(digest, 63n)),
  oid: (digest) => String(number(digest, 31n)),
  numeric: (digest, field) => String(number(digest, 48n) % 10n ** BigInt(wholeDigits(field))),
  float8: (digest) => String(number(digest, 48n)),
  float4: (digest) => String(number(digest, 24n)),
  inet: (digest) => `10.${digest[0]}.${digest[1]}.${digest[2]}`,
  date: (digest) => day(digest),
  timestamp: (digest) => `${day(digest)} 00:00:00`,
  timestamptz: (digest) => `${day(digest)} 00:00:00+00`,
};

/** Digits before the point that a numeric(precision, scale) has room for. */
function wholeDigits({ modifier = -1 }: ResultField): number {
  if (modifier < 4) return 14;
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (modifier - 4) & 0x7ff;
  return Math.max(0, Math.min(14, precision - scale));
}

function hex(digest: Uint8Array, bytes: number): string {
  return Array.from(digest.subarray(0, bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function uuid(digest: Uint8Array): string {
  const text = hex(digest, 16);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}

function number(digest: Uint8Array, bits: bigint): bigint {
  const view = new DataView(digest.buffer, digest.byteOffset, 8);
  return BigInt.asUintN(Number(bits), view.getBigUint64(0));
}

/** A day between 1900 and 2099. */
function day(digest: Uint8Array): string {
  const days = Number(number(digest, 48n) % 73_000n);
  return new Date(Date.UTC(1900, 0, 1) + days * 86_400_000).toISOString().slice(0, 10);
}
