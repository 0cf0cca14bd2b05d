import { passedOn, renamed } from './from.ts';
import type { Ledger } from './ledger.ts';
import { unresolved } from './names.ts';
import { readQuery } from './query.ts';
import type { NamedQuery, Scope } from './scope.ts';
import { NOTHING, named, type Output, type Shape, type Sources, shapeSources, union } from './sources.ts';
import { bodyOf, flagAt, listAt, namesOf, type Tree, textAt, treeAt, unreadable } from './tree.ts';

/** Reads the WITH queries of a statement into its scope, used or not: one that writes runs in any case. */
export function readWith(clause: Tree | undefined, level: { ledger: Ledger; scope: Scope }): void {
  if (!clause) return;
  const tables = listAt(clause, 'ctes').map((value) => {
    const body = bodyOf(value, 'CommonTableExpr');
    if (!body) throw unreadable('a WITH query of unknown shape');
    return new CommonTable(body, level);
  });
  if (flagAt(clause, 'recursive')) {
    // Each may refer to any other and to itself.
    for (const table of tables) level.scope.queries.set(table.name, table);
    for (const table of tables) table.shape();
    return;
  }
  for (const table of tables) {
    table.shape();
    level.scope.queries.set(table.name, table);
  }
}

class CommonTable implements NamedQuery {
  readonly name: string;
  readonly #body: Tree;
  readonly #level: { ledger: Ledger; scope: Scope };
  #shape: Shape | undefined;
  #reading = false;
  #referred = false;

  constructor(body: Tree, level: { ledger: Ledger; scope: Scope }) {
    this.name = textAt(body, 'ctename');
    this.#body = body;
    this.#level = level;
  }

  shape(): Shape {
    if (this.#reading) this.#referred = true;
    if (this.#shape) return this.#shape;
    if (this.#reading) throw unresolved('WITH query', this.name);
    this.#reading = true;
    // What it says about itself is at first anything, computed from nothing yet.
    this.#shape = this.#recursive() ? { outputs: [], open: NOTHING } : undefined;
    let shape = this.#read();
    if (this.#referred) {
      // A round later every output may hold what any other held: read again knowing so.
      this.#shape = spread(shape);
      shape = spread(this.#read());
    }
    this.#shape = this.#extended(shape);
    this.#reading = false;
    return this.#shape;
  }

  #recursive(): boolean {
    const select = bodyOf(this.#body['ctequery'], 'SelectStmt');
    return select !== undefined && textAt(select, 'op') === 'SETOP_UNION';
  }

  #read(): Shape {
    const shape = passedOn(readQuery(this.#body['ctequery'], this.#level));
    return renamed(shape, { colnames: listAt(this.#body, 'aliascolnames') });
  }

  /** SEARCH and CYCLE add columns made of those they list, and CYCLE decides by them when to stop. */
  #extended(shape: Shape): Shape {
    const search = treeAt(this.#body, 'search_clause');
    const cycle = treeAt(this.#body, 'cycle_clause');
    const outputs: Output[] = [...shape.outputs];
    if (search) {
      const sources = listed(shape, namesOf(listAt(search, 'search_col_list')));
      outputs.push({ name: textAt(search, 'search_seq_column'), sources });
    }
    if (cycle) {
      const sources = listed(shape, namesOf(listAt(cycle, 'cycle_col_list')));
      this.#level.ledger.columns(sources, 'filter');
      for (const field of ['cycle_mark_column', 'cycle_path_column']) {
        outputs.push({ name: textAt(cycle, field), sources });
      }
    }
    return { outputs, open: shape.open };
  }
}

function spread(shape: Shape): Shape {
  const sources = shapeSources(shape);
  return { outputs: shape.outputs.map(({ name }) => ({ name, sources })), open: shape.open && sources };
}

function listed(shape: Shape, names: readonly string[]): Sources {
  return union(...names.flatMap((name) => named(shape.outputs, name).map((output) => output.sources)));
}
