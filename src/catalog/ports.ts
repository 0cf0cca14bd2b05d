import type { CatalogSnapshot } from '../core/catalog.ts';
import type { ColumnLabel } from '../core/facts.ts';
import type { Label } from '../core/label.ts';

/** The gateway's own connection to one database, for looking only. */
export interface CatalogConnection {
  /** The server process it was said to have at login. */
  readonly process?: number | undefined;
  /** Rows as objects. Throws Fault CATALOG_UNREADABLE. */
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  end(): Promise<void>;
}

/** Opens such a connection, with the target's own credential. Throws Fault. */
export type CatalogConnect = (target: string, database: string) => Promise<CatalogConnection>;

/** Labels the columns whose names match. */
export interface LabelRule {
  /** `schema.relation.column`; `*` stands for any characters within a part, `%xx` for one that would be special. */
  readonly column: string;
  readonly label: Label;
  readonly mask: ColumnLabel['style'];
  readonly constant?: string;
  /** Keys into json and jsonb columns: what lies there is labelled, and nothing else. */
  readonly path?: readonly string[];
  readonly derive?: NonNullable<ColumnLabel['derive']>;
}

/** What the operator says of a target's databases. */
export interface CatalogRules {
  readonly labels: readonly Label[];
  readonly columns: readonly LabelRule[];
  /** Roles that sessions run as. */
  readonly roles?: readonly string[];
}

export interface ViewDefinition {
  readonly view: number;
  /** As pg_get_viewdef gives it under an empty search path. */
  readonly text: string;
  /** Attribute numbers of its columns, in order. */
  readonly columns: readonly number[];
}

export interface OutputLineage {
  readonly attribute: number;
  readonly from: readonly { readonly relation: number; readonly attribute: number }[];
  /** Set when it is exactly this column. */
  readonly same?: { readonly relation: number; readonly attribute: number };
}

export interface ViewLineage {
  readonly view: number;
  /** One for each column of the view. */
  readonly columns: readonly OutputLineage[];
}

/** Reads definitions against a catalog. Views of which it cannot tell are not in the answer. Throws Fault. */
export type TraceViews = (
  definitions: readonly ViewDefinition[],
  catalog: CatalogSnapshot,
) => Promise<readonly ViewLineage[]>;
