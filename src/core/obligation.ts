import type { Lookups } from './facts.ts';
import type { Label } from './label.ts';

/** How a value is masked. Each yields a value the column's type can decode; NULL stays NULL. */
export const MASK_STYLES = ['redact', 'null', 'partial', 'hash', 'email', 'date', 'constant'] as const;
export type MaskStyle = (typeof MASK_STYLES)[number];

/** `date` and `email` keep part of a value's meaning, `partial` its end, `hash` its identity, the others nothing. */
const STRICTEST_FIRST: readonly MaskStyle[] = ['redact', 'null', 'constant', 'hash', 'partial', 'date', 'email'];

/** Sorts what could mask one column so that the strictest stands first. */
export function strictestFirst(a: { readonly style: MaskStyle }, b: { readonly style: MaskStyle }): number {
  return STRICTEST_FIRST.indexOf(a.style) - STRICTEST_FIRST.indexOf(b.style);
}

/** What a mask makes of a value. */
export type Mask = Pick<MaskObligation, 'label' | 'style' | 'constant' | 'path'>;

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
  /** Keys into a json or jsonb value: only what lies there is masked. Absent: the whole value. */
  readonly path?: readonly string[];
}

/** Redact one column of a statement's result, wherever its values come from: it is computed from labelled columns. */
export interface RedactObligation {
  readonly kind: 'redact';
  /** Index of the statement within the query. */
  readonly statement: number;
  /** Index of the column within the statement's result. */
  readonly position: number;
  /** Resource id of the labelled column it is computed from. */
  readonly column: string;
  readonly label: Label;
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
  /** RE2 patterns of those detectors that are the operator's own, by name. */
  readonly patterns?: Readonly<Record<string, string>>;
  readonly then: 'observe' | 'mask' | 'deny';
  /** Labelled columns that policy reveals: what they hold is known and permitted, so it is not looked for. */
  readonly except?: readonly { readonly table: number; readonly attribute: number }[];
}

/** Draw on an hourly budget of a label. */
export interface BudgetObligation {
  readonly kind: 'budget';
  readonly label: Label;
  /** Values it compares labelled columns with, and how many an hour may be. */
  readonly lookups?: { readonly most: number; readonly asked: Lookups };
  /** Rows an hour may give. */
  readonly rows?: number | undefined;
}

/** Draw on the rows one grant may give in all. */
export interface TotalRowsObligation {
  readonly kind: 'total-rows';
  readonly grant: string;
  readonly most: number;
}

/** Of errors and notices tell the code and the message, not the details: they may quote rows with labelled columns. */
export interface TerseObligation {
  readonly kind: 'terse';
  /** Nor the message, where it may quote a value. */
  readonly messages?: true;
}

/** Tell the plan without costs: estimates speak of values behind labels, those nobody asked for included. */
export interface PlanObligation {
  readonly kind: 'plan';
  /** Position of the EXPLAIN in its message, from 0. */
  readonly statement: number;
}

/** Compute with the mask: wherever the relation stands in the text, a subquery stands whose columns are masked. */
export interface SourceObligation {
  readonly kind: 'source';
  /** Position of the statement in its message, from 0. */
  readonly statement: number;
  readonly table: number;
  /** Labelled columns not here and not in `clear` are used by nothing, and come as NULL. */
  readonly columns: readonly SourceMask[];
  /** Attribute numbers of labelled columns that may be seen. */
  readonly clear: readonly number[];
}

export interface SourceMask {
  readonly column: string;
  readonly attribute: number;
  readonly masks: readonly Mask[];
  /** Where it decides about rows by its own name, the value itself does: that was permitted. */
  readonly filtered: boolean;
}

export type Obligation =
  | BudgetObligation
  | PlanObligation
  | TotalRowsObligation
  | MaskObligation
  | RedactObligation
  | RowCapObligation
  | DetectObligation
  | TerseObligation
  | SourceObligation;
