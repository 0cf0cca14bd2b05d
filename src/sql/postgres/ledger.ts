import type { Action } from '../../core/action.ts';
import type {
  ColumnUse,
  ComputedColumn,
  Lookups,
  ResourceUse,
  SettingChange,
  StatementFacts,
} from '../../core/facts.ts';
import type { Label } from '../../core/label.ts';
import { strictestFirst } from '../../core/obligation.ts';
import { type Resource, resourceId } from '../../core/resource.ts';
import { PER_COLUMN, spend } from './effort.ts';
import type { Names } from './names.ts';
import type { Positions } from './positions.ts';
import type { Column, Relation } from './relation.ts';
import { type Site, Sites } from './sites.ts';
import type { Sources } from './sources.ts';
import type { Tree } from './tree.ts';
import { verbOf } from './verb.ts';

/** What may set search_path, make temporary tables or change the catalog. */
const BARRIERS: ReadonlySet<Action> = new Set<Action>(['opaque', 'ddl', 'execute', 'admin']);

/** What a statement may do whose sources may be masked: nothing that is computed in it may stay anywhere. */
const PURE: ReadonlySet<Action> = new Set<Action>(['select', 'introspect', 'copy-out', 'lock', 'execute']);

/** What can fail with a message that quotes a whole row. */
const WRITES_ROWS: ReadonlySet<Action> = new Set<Action>(['insert', 'update', 'copy-in']);

/**
 * Takes down what one statement does while it is read. Things are only ever added: whatever was found once stays, so
 * reading a part twice, or as more than it is, errs on the side of asking policy more.
 */
export class Ledger {
  readonly names: Names;
  readonly #uses = new Map<string, ResourceUse>();
  readonly sites: Sites;
  readonly #columns = new Map<Column, Uses>();
  readonly #besides = new Map<Column, Set<'derive' | 'filter'>>();
  readonly #read = new Set<Relation>();
  readonly #bystanders = new Set<Column>();
  readonly #computed: ComputedColumn[] = [];
  readonly #settings: SettingChange[] = [];
  /** Functions were called that only give values, but are no preamble (they take time). */
  idle = true;
  /** How deep the reading is inside the statement. */
  depth = 0;
  /** Whatever it reads is told of in a plan. */
  explaining = false;
  bounded = true;
  barrier = false;
  ddl = false;

  constructor(names: Names, positions: Positions) {
    this.names = names;
    this.sites = new Sites(positions);
  }

  use(action: Action, resource: Resource, labels: readonly Label[] = this.names.labels): void {
    spend(1);
    this.#uses.set(`${action} ${resource.kind} ${resourceId(resource)}`, { action, resource, labels });
    if (BARRIERS.has(action)) this.barrier = true;
  }

  on(action: Action, relation: Relation): void {
    // A catalog is never merely written or locked.
    if (relation.reading !== 'select' && action !== relation.reading) {
      this.use('admin', relation.resource, relation.labels);
    }
    this.use(action, relation.resource, relation.labels);
    if (!relation.labelled || !(WRITES_ROWS.has(action) || this.explaining)) return;
    spend(relation.columns.length);
    for (const column of relation.columns) if (column.labels.length > 0) this.#bystanders.add(column);
  }

  reads(relation: Relation): void {
    if (this.#read.has(relation)) return;
    this.#read.add(relation);
    this.on(relation.reading, relation);
  }

  /** Reading a column in whatever way is reading its relation; writing it is not. */
  column(column: Column, use: ColumnUse['use']): void {
    if (use !== 'assign') this.reads(column.relation);
    if (column.restricted) this.use('admin', column.relation.resource, column.relation.labels);
    const uses = this.#usesOf(column);
    uses[use] = true;
    if (use === 'filter') {
      uses.any = true;
      uses.through = true;
    }
  }

  /** It leaves as itself, as this column of the result. */
  leaves(column: Column, position: number): void {
    this.column(column, 'read');
    if (column.labels.length > 0) this.#usesOf(column).places.add(position);
  }

  /** It decides about rows where it is named, in whatever way. */
  decides(column: Column, { site, reference }: { readonly site: Site; readonly reference: Tree }): void {
    const { through } = this.#usesOf(column);
    const found = this.sites.filter(site, reference, column.attribute);
    this.column(column, 'filter');
    if (found) this.#usesOf(column).through = through;
  }

  /** It is compared with constants, and so decides about rows. */
  matches(column: Column, { constants, arrays }: Lookups): void {
    this.reads(column.relation);
    if (column.restricted) this.column(column, 'filter');
    const uses = this.#usesOf(column);
    uses.filter = true;
    uses.constants += constants;
    for (const each of arrays) uses.arrays.push(each);
  }

  /** It decides about rows under a name that is not its own. */
  through(column: Column): void {
    this.#usesOf(column).through = true;
  }

  /** A part of it is used that its labels are not on. */
  besides(column: Column, use: 'derive' | 'filter'): void {
    this.reads(column.relation);
    this.#besides.set(column, (this.#besides.get(column) ?? new Set()).add(use));
  }

  /** It goes into one column of the result, by total functions alone. */
  shown(columns: Sources, position: number): void {
    spend(columns.size);
    for (const column of columns) {
      if (column.labels.length === 0 || column.restricted) this.column(column, 'derive');
      else {
        this.reads(column.relation);
        this.#usesOf(column).outputs.add(position);
      }
    }
  }

  /** For those who want to know where a result column comes from. */
  computed(position: number, name: string, sources: Sources): void {
    spend(sources.size);
    const from = [...sources].map((column) => columnUse(column, 'derive').column);
    this.#computed.push({ position, name, from });
  }

  #usesOf(column: Column): Uses {
    const known = this.#columns.get(column);
    if (known) return known;
    spend(PER_COLUMN);
    const fresh: Uses = { ...UNUSED, arrays: [], outputs: new Set(), places: new Set() };
    this.#columns.set(column, fresh);
    return fresh;
  }

  columns(columns: Sources, use: ColumnUse['use']): void {
    spend(columns.size);
    for (const column of columns) this.column(column, use);
  }

  setting(change: SettingChange): void {
    this.#settings.push(change);
    if (change.class === 'tracked' || change.class === 'admin') this.barrier = true;
  }

  /** Facts of a statement that has been read to its end. */
  facts(more: Partial<StatementFacts> = {}): StatementFacts {
    const uses = [...this.#uses.values()];
    const sources = this.sites.facts();
    return {
      verb: verbOf(uses),
      uses,
      columns: [
        ...[...this.#columns].flatMap(([column, kinds]) => columnUses(column, kinds)),
        ...[...this.#besides].flatMap(([column, kinds]) =>
          [...kinds].map((use) => ({ ...columnUse(column, use), besides: true as const })),
        ),
      ],
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
      ...(this.#computed.length > 0 ? { computed: this.#computed } : {}),
      ...(sources && uses.every(({ action }) => PURE.has(action)) ? { sources } : {}),
      ...more,
    };
  }

  get empty(): boolean {
    return this.#uses.size === 0 && this.#columns.size === 0 && this.#settings.length === 0;
  }
}

/** How one column is used, all its uses together. */
interface Uses {
  read: boolean;
  derive: boolean;
  filter: boolean;
  assign: boolean;
  /** Filters that are no comparison with constants. */
  any: boolean;
  through: boolean;
  /** What it is compared with. */
  constants: number;
  readonly arrays: number[];
  readonly outputs: Set<number>;
  /** Where it leaves as itself. */
  readonly places: Set<number>;
}

const UNUSED: Omit<Uses, 'arrays' | 'outputs' | 'places'> = {
  read: false,
  derive: false,
  filter: false,
  assign: false,
  any: false,
  through: false,
  constants: 0,
};

function columnUses(column: Column, uses: Uses): ColumnUse[] {
  const found: ColumnUse[] = [];
  if (uses.read) {
    const places = uses.places.size > 0 ? { outputs: [...uses.places] } : {};
    found.push({ ...columnUse(column, 'read'), ...places });
  }
  if (uses.derive) found.push(columnUse(column, 'derive'));
  else if (uses.outputs.size > 0) found.push({ ...columnUse(column, 'derive'), outputs: [...uses.outputs] });
  if (uses.filter) {
    const { any, through, constants, arrays } = uses;
    const compared = constants > 0 || arrays.length > 0;
    found.push({
      ...columnUse(column, 'filter'),
      filter: any ? 'any' : 'equality',
      ...(through ? { through } : {}),
      ...(compared ? { lookups: { constants, arrays } } : {}),
    });
  }
  if (uses.assign) found.push(columnUse(column, 'assign'));
  return found;
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
