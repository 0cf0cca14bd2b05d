import type { Action } from '../../core/action.ts';
import type { ColumnUse, ResourceUse, SettingChange, StatementFacts } from '../../core/facts.ts';
import type { Label } from '../../core/label.ts';
import { strictestFirst } from '../../core/obligation.ts';
import { type Resource, resourceId } from '../../core/resource.ts';
import type { Names } from './names.ts';
import type { Column, Relation } from './relation.ts';
import type { Sources } from './sources.ts';
import { verbOf } from './verb.ts';

/** What may set search_path, make temporary tables or change the catalog. */
const BARRIERS: ReadonlySet<Action> = new Set<Action>(['opaque', 'ddl', 'execute', 'admin']);

/** What can fail with a message that quotes a whole row. */
const WRITES_ROWS: ReadonlySet<Action> = new Set<Action>(['insert', 'update', 'copy-in']);

/**
 * Takes down what one statement does while it is read. Things are only ever added: whatever was found once stays, so
 * reading a part twice, or as more than it is, errs on the side of asking policy more.
 */
export class Ledger {
  readonly names: Names;
  readonly #uses = new Map<string, ResourceUse>();
  readonly #columns = new Map<Column, Set<ColumnUse['use']>>();
  readonly #bystanders = new Set<Column>();
  readonly #settings: SettingChange[] = [];
  /** Functions were called that only give values, but are no preamble (they take time). */
  idle = true;
  /** How deep the reading is inside the statement. */
  depth = 0;
  bounded = true;
  barrier = false;
  ddl = false;

  constructor(names: Names) {
    this.names = names;
  }

  use(action: Action, resource: Resource, labels: readonly Label[] = this.names.labels): void {
    this.#uses.set(`${action} ${resource.kind} ${resourceId(resource)}`, { action, resource, labels });
    if (BARRIERS.has(action)) this.barrier = true;
  }

  on(action: Action, relation: Relation): void {
    // A catalog is never merely written or locked.
    if (relation.reading !== 'select' && action !== relation.reading) {
      this.use('admin', relation.resource, relation.labels);
    }
    this.use(action, relation.resource, relation.labels);
    if (WRITES_ROWS.has(action))
      for (const column of relation.columns) if (column.labels.length > 0) this.#bystanders.add(column);
  }

  reads(relation: Relation): void {
    this.on(relation.reading, relation);
  }

  /** Reading a column in whatever way is reading its relation; writing it is not. */
  column(column: Column, use: ColumnUse['use']): void {
    if (use !== 'assign') this.reads(column.relation);
    if (column.restricted) this.use('admin', column.relation.resource, column.relation.labels);
    const uses = this.#columns.get(column) ?? new Set();
    this.#columns.set(column, uses.add(use));
  }

  columns(columns: Sources, use: ColumnUse['use']): void {
    for (const column of columns) this.column(column, use);
  }

  setting(change: SettingChange): void {
    this.#settings.push(change);
    if (change.class === 'tracked' || change.class === 'admin') this.barrier = true;
  }

  /** Facts of a statement that has been read to its end. */
  facts(more: Partial<StatementFacts> = {}): StatementFacts {
    const uses = [...this.#uses.values()];
    return {
      verb: verbOf(uses),
      uses,
      columns: [...this.#columns].flatMap(([column, kinds]) => [...kinds].map((use) => columnUse(column, use))),
      ...(this.#bystanders.size > 0
        ? { bystanders: [...this.#bystanders].map((column) => columnUse(column, 'read')) }
        : {}),
      bounded: this.bounded,
      settings: this.#settings,
      transaction: undefined,
      barrier: this.barrier,
      ddl: this.ddl,
      free: false,
      copy: undefined,
      names: undefined,
      ...more,
    };
  }

  get empty(): boolean {
    return this.#uses.size === 0 && this.#columns.size === 0 && this.#settings.length === 0;
  }
}

function columnUse({ relation, name, attribute, labels }: Column, use: ColumnUse['use']): ColumnUse {
  return {
    column: { kind: 'Column', path: [...relation.resource.path, name] },
    use,
    table: relation.oid,
    attribute,
    labels: labels.length < 2 ? labels : [...labels].sort(strictestFirst),
  };
}
