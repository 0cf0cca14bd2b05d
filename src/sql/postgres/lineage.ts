import { Fault } from '../../core/fault.ts';
import type { CatalogIndex } from './catalog-index.ts';
import { withDeciding } from './deciding.ts';
import { bounded } from './effort.ts';
import { Ledger } from './ledger.ts';
import { Names } from './names.ts';
import { parse } from './parser.ts';
import { Positions } from './positions.ts';
import { readQuery } from './query.ts';
import type { Column } from './relation.ts';

/**
 * Which columns the values of a view's columns are computed from, read from the view's definition as pg_get_viewdef
 * gives it under an empty search path. What decides about a value counts (CASE, windows, FILTER, subqueries in
 * expressions); what decides only about rows does not (WHERE, ON, HAVING, GROUP BY).
 */
export interface ViewDefinition {
  readonly view: number;
  readonly text: string;
  /** Attribute numbers of its columns, in order. */
  readonly columns: readonly number[];
}

export interface ViewLineage {
  readonly view: number;
  /** One for each column of the definition. */
  readonly columns: readonly OutputLineage[];
}

export interface OutputLineage {
  readonly attribute: number;
  readonly from: readonly ColumnNumber[];
  /** Set when the output is exactly this column. */
  readonly same?: ColumnNumber;
}

export interface ColumnNumber {
  readonly relation: number;
  readonly attribute: number;
}

/**
 * Undefined for a view of which this cannot be told: its definition cannot be read, gives columns nobody can list, or
 * calls what may read anything. Throws nothing but what means: discard the parser.
 */
export function readLineage(definition: ViewDefinition, catalog: CatalogIndex): ViewLineage | undefined {
  try {
    return bounded(() => lineageOf(definition, catalog));
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

function lineageOf({ view, text, columns }: ViewDefinition, catalog: CatalogIndex): ViewLineage | undefined {
  const { target, database } = catalog.snapshot;
  const scope = { target, database, role: '', searchPath: ['pg_catalog'], temporary: [], uncommitted: [] };
  const ledger = new Ledger(new Names(catalog, scope), new Positions(''));
  const [query, another] = parse(text);
  if (query === undefined || another !== undefined) return undefined;
  const { outputs, open } = readQuery(withDeciding(query), { ledger, scope: undefined });
  if (open !== undefined || outputs.length !== columns.length) return undefined;
  if (ledger.facts().uses.some(({ action }) => action === 'opaque' || action === 'admin')) return undefined;
  return {
    view,
    columns: outputs.map(({ sources, origin }, index): OutputLineage => {
      const from = [...sources].filter((column) => column.attribute > 0).map(numberOf);
      const attribute = columns[index] ?? 0;
      const same = origin !== undefined && origin.attribute > 0 && from.length === 1 ? numberOf(origin) : undefined;
      return { attribute, from, ...(same === undefined ? {} : { same }) };
    }),
  };
}

function numberOf({ relation, attribute }: Column): ColumnNumber {
  return { relation: relation.oid, attribute };
}
