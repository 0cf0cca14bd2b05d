import type { Label } from '../core/label.ts';
import { type MaskObligation, strictestFirst } from '../core/obligation.ts';
import { type MaskedColumn, quote, type SourceType, sourceType } from './source-type.ts';
import { redactedText, spelledText } from './spell.ts';

/** What a mask does to a column; a MaskObligation says it. */
export type ColumnMask = Pick<MaskObligation, 'label' | 'style' | 'constant' | 'path'>;

export interface SourceOptions {
  /** The HMAC-SHA-256 key behind `hash` masks of a label, for this root principal. It becomes part of the text. */
  readonly keys: (label: Label) => Uint8Array;
  /** False: no key may show (EXPLAIN prints expressions), so the redacted value stands for keyed hashes. */
  readonly hash?: boolean;
}

/**
 * SQL that computes the mask of a column on the server, for use where the column stood: the same image as the mask
 * on the wire makes of the same value, or the redacted value, which says less. It has the column's type (a domain's
 * base type, so that no check can fail), NULL stays NULL, no value makes it raise, and nothing in it depends on
 * search_path or other settings. Without masks it is the column.
 */
export function maskExpression(column: MaskedColumn, masks: readonly ColumnMask[], _options: SourceOptions): string {
  const [mask] = masks.toSorted(strictestFirst);
  if (mask === undefined) return column.reference;
  const type = sourceType(column);
  if (mask.style === 'null') return nothing(type);
  const text = mask.style === 'constant' ? spelledText(type.field, mask.constant ?? '') : redactedText(type.field);
  return fixed(column, type, text);
}

/** The same value for everything that is not NULL. */
function fixed(column: MaskedColumn, type: SourceType, text: string | undefined): string {
  if (text === undefined) return nothing(type);
  return `CASE WHEN ${column.reference} IS NULL THEN NULL ELSE ${quote(text)}::${type.name} END`;
}

function nothing(type: SourceType): string {
  return type.name === undefined ? 'NULL' : `NULL::${type.name}`;
}
