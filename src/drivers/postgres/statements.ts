import type { SqlFacts, SqlScope } from '../../core/facts.ts';
import type { Field } from '../../wire/postgres/row-description.ts';
import type { Run } from './run.ts';

/** A prepared statement, made by Parse or by PREPARE: both share one namespace on the server. */
export interface Prepared {
  readonly kind: 'prepared';
  /** What is read again at every Bind: the statement, or the whole PREPARE. */
  readonly text: string;
  /** From Parse; the server fills in the rest. */
  readonly types: readonly number[];
  /** The result's fields as the server last described them; undefined before it did. */
  fields: readonly Field[] | 'none' | undefined;
  /** What is masked in the text the server was given, as `sourceMasks` spells it. */
  readonly masks: string;
  /** Facts at the last Bind: when they change, so may the fields. */
  facts: SqlFacts | undefined;
}

/** A bound statement. Formats come from Bind, the plan from both. */
export interface Portal {
  readonly kind: 'portal';
  readonly statement: Prepared;
  readonly run: Run;
  readonly resultFormats: readonly number[];
  fields: readonly Field[] | 'none' | undefined;
  /** What names meant when it was decided. Utility statements look theirs up when they run. */
  readonly scope: SqlScope;
  /** The statement or cursor that EXECUTE or FETCH named when it was decided. */
  readonly by: Prepared | Portal | Cursor | undefined;
  started: boolean;
}

/** A cursor of DECLARE: FETCH gives its rows, so FETCH is decided by what the cursor reads. */
export interface Cursor {
  readonly kind: 'cursor';
  /** The whole DECLARE. */
  readonly text: string;
  readonly facts: SqlFacts;
  readonly masks: string;
}

/** Bytes of a name that servers tell names apart by (NAMEDATALEN): longer ones are one name to them. */
export const MAX_NAME_BYTES = 63;

/** Names a client may hold at once on one connection. */
export const MAX_NAMES = 10_000;
