import type { Label } from './label.ts';

/** How a value is masked. Each yields a value the column's type can decode; NULL stays NULL. */
export const MASK_STYLES = ['redact', 'null', 'partial', 'hash', 'email', 'date', 'constant'] as const;
export type MaskStyle = (typeof MASK_STYLES)[number];

/** Mask one column of the result. */
export interface MaskObligation {
  readonly kind: 'mask';
  /** Resource id of the column. */
  readonly column: string;
  /** Where the server's RowDescription says the value comes from. */
  readonly table: number;
  readonly attribute: number;
  readonly label: Label;
  readonly style: MaskStyle;
  /** For `constant`: the value shown instead. */
  readonly constant?: string;
}

/** Return at most this many rows; the rest is cut off with an error that says so. */
export interface RowCapObligation {
  readonly kind: 'rows';
  readonly most: number;
}

/** Scan unlabelled text cells with detectors, and do this with what they find. */
export interface DetectObligation {
  readonly kind: 'detect';
  readonly detectors: readonly string[];
  readonly then: 'observe' | 'mask' | 'deny';
}

export type Obligation = MaskObligation | RowCapObligation | DetectObligation;
