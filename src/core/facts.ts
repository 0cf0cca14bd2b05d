import type { Action } from './action.ts';
import type { Label } from './label.ts';
import type { MaskStyle } from './obligation.ts';
import type { Resource } from './resource.ts';

/** What an SQL text would do, found by reading it. Independent of who asks and of policy. Immutable: caches share it. */
export interface SqlFacts {
  /** One per top-level statement, in order. Empty for the empty query. */
  readonly statements: readonly StatementFacts[];
  /** The parser's fingerprint of the whole text: equal for texts that differ in literals only. */
  readonly fingerprint: string;
  /** The text with every literal replaced, safe for logs. */
  readonly normalised: string;
}

export interface StatementFacts {
  /** The most consequential thing the statement does, not the word it starts with. */
  readonly verb: Verb;
  /** Everything policy must be asked about, columns apart. */
  readonly uses: readonly ResourceUse[];
  /** Every column touched, labelled or not. A column used in two ways stands twice. */
  readonly columns: readonly ColumnUse[];
  /** Labelled columns of rows it writes, which an error may quote, and of relations it explains. Absent: none. */
  readonly bystanders?: readonly Pick<ColumnUse, 'column' | 'labels'>[];
  /** The WHERE of every UPDATE and DELETE in it picks rows (policy.md §3); true where there is none. */
  readonly bounded: boolean;
  /** Session settings it changes. */
  readonly settings: readonly SettingChange[];
  /** How it moves the transaction, if it does. */
  readonly transaction: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'other' | undefined;
  /** May change what later names mean: settings, DDL, temp tables, rollback, opaque statements. */
  readonly barrier: boolean;
  /** Changes the catalog for every session: the snapshot must be read again once it completes. */
  readonly ddl: boolean;
  /** A driver's preamble or transaction control, which costs no use. */
  readonly free: boolean;
  /** COPY has its own sub-protocol and no RowDescription; `plan` lists its columns in wire order. */
  readonly copy: CopyFacts | undefined;
  /** Which prepared statement or cursor of the SQL level it makes, runs, reads or drops. */
  readonly names: SqlName | undefined;
  /** For EXECUTE: how many values each of its arguments may stand for; undefined: any number. */
  readonly given?: readonly (number | undefined)[];
  /** It is EXPLAIN of such a statement. */
  readonly explains?: true;
  /** Result columns that are computed, and what from. Absent: none. */
  readonly computed?: readonly ComputedColumn[];
  /** What masks at the source would change in the text. Absent: nothing of it can be masked there. */
  readonly sources?: SourceFacts;
}

/** A result column that is no column of a relation. */
export interface ComputedColumn {
  /** From 0. */
  readonly position: number;
  readonly name: string;
  readonly from: readonly Resource[];
}

/** Positions in a text count its tokens, comments apart (sql/postgres/lexer.ts): texts that share facts share them. */
export interface Span {
  readonly from: number;
  /** One past the last. */
  readonly to: number;
}

export interface SourceFacts {
  /** Every place where a relation with labelled columns stands, of those relations that can be masked wherever they stand. */
  readonly sites: readonly SourceSite[];
  /** Qualifiers to take away: behind a subquery, `schema.table.column` means nothing. */
  readonly qualifiers: readonly (Span & { readonly table: number })[];
}

/** A relation in FROM or COPY, for which a subquery can stand. */
export interface SourceSite extends Span {
  readonly table: number;
  readonly schema: string;
  readonly relation: string;
  /** Without its children. */
  readonly only: boolean;
  /** `in` FROM; the whole of `TABLE relation`; or what COPY names, its list of columns included. */
  readonly stands: 'from' | 'table' | 'copy';
  /** A name the subquery needs: there is no alias behind it. */
  readonly alias: string | undefined;
  readonly columns: readonly SourceColumn[];
  /** System columns that are used. */
  readonly system: readonly string[];
  /** All its columns are used at once, so that one more would show. */
  readonly whole: boolean;
  /** Where its labelled columns decide about rows by their own name: the last token of each reference. */
  readonly filters: readonly { readonly attribute: number; readonly at: number }[];
}

export interface SourceColumn {
  readonly name: string;
  readonly attribute: number;
  readonly type: number;
  readonly typeName: string;
  readonly base?: { readonly type: number; readonly typeName: string };
  readonly labelled: boolean;
}

export type Verb = Action | 'transaction' | 'session' | 'empty';

export interface ResourceUse {
  readonly action: Action;
  readonly resource: Resource;
  /** Labels on the resource and everything above it. */
  readonly labels: readonly Label[];
}

export interface ColumnUse {
  readonly column: Resource;
  /**
   * `read`: leaves as itself in the result, so that RowDescription names its table and attribute number.
   * `derive`: goes into anything else. `filter`: decides which rows. `assign`: is written.
   */
  readonly use: 'read' | 'derive' | 'filter' | 'assign';
  readonly table: number;
  readonly attribute: number;
  /** Labels of the column itself with their masks, strictest style first; empty when unlabelled. */
  readonly labels: readonly ColumnLabel[];
  /** For `filter`: every such use compares the column itself with constants, or it may be any other. */
  readonly filter?: 'equality' | 'any';
  /** For `filter`: some use of it goes through something computed or passed on, out of reach of its name. */
  readonly through?: true;
  /** For `filter`: what it is compared with. */
  readonly lookups?: Lookups;
  /** Only parts of it are used that its labels are not on: keys of a json value. */
  readonly besides?: true;
  /**
   * Result columns, from 0. For `read` of a labelled column: where it leaves as itself. For `derive`: it goes into these
   * only, each built of total functions alone.
   */
  readonly outputs?: readonly number[];
}

/** How many values one statement asks about. */
export interface Lookups {
  readonly constants: number;
  /** Numbers of parameters that are arrays of values, from 1. */
  readonly arrays: readonly number[];
}

export interface ColumnLabel {
  readonly label: Label;
  readonly style: MaskStyle;
  readonly constant?: string;
  /** Keys into a json or jsonb column: only what lies there is labelled. Absent: the whole value. */
  readonly path?: readonly string[];
  /** What computing with the column gives whoever may not see it: something made from the mask, or a denial. Absent: source. */
  readonly derive?: 'source' | 'deny';
}

export interface SettingChange {
  readonly name: string;
  /** Undefined: set to something that is not a constant, or reset. */
  readonly value: string | undefined;
  readonly class: 'free' | 'pinned' | 'tracked' | 'swallowed' | 'admin';
}

export interface CopyFacts {
  readonly direction: 'in' | 'out';
  readonly format: 'text' | 'csv' | 'binary';
}

export interface SqlName {
  readonly kind: 'prepare' | 'execute' | 'deallocate' | 'declare' | 'fetch' | 'close';
  /** Undefined: all of them (DEALLOCATE ALL, CLOSE ALL). */
  readonly name: string | undefined;
}

/** What names mean on one connection at one moment. */
export interface SqlScope {
  readonly target: string;
  readonly database: string;
  readonly role: string;
  /** As `current_schemas(true)` says, pg_catalog and pg_temp included. */
  readonly searchPath: readonly string[];
  /** Relations only this connection sees: of its temporary schema. */
  readonly temporary: readonly OwnRelation[];
  /** Relations that its open transaction made or changed, as nobody else sees them yet. */
  readonly uncommitted: readonly OwnRelation[];
}

export interface OwnRelation {
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  readonly columns: readonly { readonly name: string; readonly attribute: number }[];
}

/** Reads SQL. Throws Fault SQL_UNREADABLE, SQL_UNRESOLVED, PROTOCOL_LIMIT or CATALOG_UNREADABLE; never guesses. */
export interface SqlReader {
  /** Answers at once from its cache when it has seen the text in this scope under the present catalog. */
  read(text: string, scope: SqlScope): SqlFacts | Promise<SqlFacts>;
  /** Tells that DDL was seen: the next read waits for a fresh catalog. */
  changed(target: string, database: string): void;
}
