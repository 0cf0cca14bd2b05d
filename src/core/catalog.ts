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
  /** What the server checks when rows are written, unique indexes included. Absent: none. */
  readonly constraints?: readonly CatalogConstraint[];
}

/** Something that compares values when a row is written, so that its failure tells about them. */
export interface CatalogConstraint {
  /** `key`: a primary key that is not deferrable, on which other columns depend. */
  readonly kind: 'key' | 'unique' | 'exclusion' | 'check' | 'reference';
  /** Attribute numbers it looks at, those in its expressions and predicate included. */
  readonly columns: readonly number[];
  /** For `reference`: where the values must be found. */
  readonly references?: { readonly relation: number; readonly columns: readonly number[] };
}

export interface CatalogColumn {
  readonly name: string;
  readonly attribute: number;
  readonly type: number;
  /** As format_type spells it, schema-qualified and with its modifier. Absent: not known, so no value of it can be made. */
  readonly typeName?: string;
  /** What a domain is over, through all domains; absent where `type` is no domain. */
  readonly base?: { readonly type: number; readonly typeName: string };
  /** Computed from other columns: COPY leaves it out. Absent: false. */
  readonly generated?: boolean;
  readonly labels: readonly ColumnLabel[];
}

/** A function outside pg_catalog; the vetted built-ins are data of the sql room. */
export interface CatalogFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As pg_language.lanname and pg_proc.provolatile. Absent: not known. */
  readonly language?: string;
  readonly volatility?: 'immutable' | 'stable' | 'volatile';
  readonly securityDefiner?: boolean;
}
