import type { ColumnLabel } from '../core/facts.ts';
import type { Label } from '../core/label.ts';

/** The gateway's own connection to one database, for looking only. */
export interface CatalogConnection {
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
}

/** What the operator says of a target's databases. */
export interface CatalogRules {
  readonly labels: readonly Label[];
  readonly columns: readonly LabelRule[];
}
