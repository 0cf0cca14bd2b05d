import type { Label } from '../core/label.ts';
import { type MaskObligation, strictestFirst } from '../core/obligation.ts';
import { dateMask } from './dates.ts';
import { hashMask } from './hashes.ts';
import { jsonPathMask } from './json-paths.ts';
import { constantMask, type Masker } from './masker.ts';
import { redacted, spell } from './spell.ts';
import { emailMask, partialMask, unpaddedMask } from './texts.ts';
import { kindOf, type ResultField } from './types.ts';

/** Keyed with a secret per root principal and label: equal values get equal images, for the same people only. */
export type Hasher = (label: Label) => (bytes: Uint8Array) => Uint8Array;

/**
 * Masks: how one value becomes another that the same type can decode, in the text and the binary format. What no
 * style can do for a type becomes the type's redacted value, and where even that is unknown, NULL: always a value,
 * never the original. Several masks are of parts of a JSON value, unless one is of the whole. This room sees bytes and
 * types; which column is masked, and why, was decided elsewhere.
 */
export function maskerFor(field: ResultField, obligations: readonly MaskObligation[], hasher: Hasher): Masker {
  const [whole] = obligations.filter(({ path }) => path === undefined).toSorted(strictestFirst);
  if (whole)
    return field.type === BPCHAR ? unpaddedMask(wholeMask(field, whole, hasher)) : wholeMask(field, whole, hasher);
  const plain = redactedMask(field);
  return jsonPathMask(field, obligations, plain) ?? plain;
}

const BPCHAR = 1042; // pg_type.dat

function wholeMask(field: ResultField, obligation: MaskObligation, hasher: Hasher): Masker {
  const plain = redactedMask(field);
  switch (obligation.style) {
    case 'redact':
      return plain;
    case 'null':
      return constantMask(undefined);
    case 'constant':
      return constantMask(spell(field, obligation.constant ?? ''));
    case 'partial':
      return kindOf(field.type) === 'text' ? partialMask() : plain;
    case 'email':
      // An unknown type whose values look like addresses is text under another name (citext, a domain).
      return emailMask(field, plain) ?? plain;
    case 'hash':
      return hashMask(field, hasher(obligation.label), plain) ?? plain;
    case 'date':
      return dateMask(field, plain) ?? plain;
  }
}

/** Always the redacted value of the field's type; NULL where none is known. */
export function redactedMask(field: ResultField): Masker {
  return constantMask(redacted(field));
}
