import type { ColumnLabel } from './facts.ts';
import type { Label } from './label.ts';

/** What a database contains, as far as reading statements needs it. One immutable value per epoch; plain data, so that it can cross threads. */
export interface CatalogSnapshot {
  readonly target: string;
  readonly database: string;
  /** Grows with every reading that found something different. */
  readonly epoch: number;
  /** The server's major version, 14 to 18. */
  readonly major: number;
  readonly targetLabels: readonly Label[];
  readonly relations: readonly CatalogRelation[];
  readonly functions: readonly CatalogFunction[];
  /** Names of schemas, all of them. */
  readonly schemas: readonly string[];
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As pg_class.relkind: r table, v view, m matview, p partitioned, f foreign, S sequence, c composite, t toast, i index. */
  readonly kind: string;
  readonly labels: readonly Label[];
  readonly columns: readonly CatalogColumn[];
  /** Rules or triggers other than internal ones: writing here may do more than it says. */
  readonly active: boolean;
}

export interface CatalogColumn {
  readonly name: string;
  readonly attribute: number;
  readonly type: number;
  readonly labels: readonly ColumnLabel[];
}

/** A function outside pg_catalog; the vetted built-ins are data of the sql room. */
export interface CatalogFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}
