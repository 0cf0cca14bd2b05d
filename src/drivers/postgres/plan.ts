import { type Denial, deny } from '../../core/decision.ts';
import type { StatementFacts } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import type { Obligation } from '../../core/obligation.ts';
import type { Session } from '../../core/session.ts';
import { planResult, type ResultPlan } from '../../masking/plan.ts';
import type { Field } from '../../wire/postgres/row-description.ts';
import { inFormats } from './descriptions.ts';
import type { Run } from './run.ts';
import type { Portal } from './statements.ts';

/**
 * The plan for a result whose fields the server described. Throws Fault TARGET_PROTOCOL when the description and the
 * facts disagree: then the names meant something else than what was decided, and no row may pass. The catalog is read
 * again before anything else is decided by it.
 */
export function planFor(session: Session, run: Run, fields: readonly Field[]): ResultPlan {
  const facts = run.statement;
  if (facts === undefined) throw new Fault('TARGET_PROTOCOL', 'a result that no statement asked for');
  const { obligations } = run.clearance;
  const known = plans.get(fields);
  if (known?.facts === facts && known.obligations === obligations && known.position === run.position) {
    return known.plan.again();
  }
  if (!agree(facts, fields, maskedIn(run.position, obligations))) {
    session.reader.changed(session.target.name, session.database);
    throw new Fault('TARGET_PROTOCOL', 'the target describes the result otherwise than its catalog said; try again');
  }
  const plan = planResult(fields, obligations, (label) => session.hasher(label), run.position);
  plans.set(fields, { facts, obligations, position: run.position, plan });
  return plan;
}

interface Made {
  readonly facts: StatementFacts;
  readonly obligations: readonly Obligation[];
  readonly position: number;
  readonly plan: ResultPlan;
}

/** The last plan for fields as they were described on one connection (descriptions.ts). */
const plans = new WeakMap<readonly Field[], Made>();

/** The plan for a portal that is about to give rows. */
export function planForPortal(session: Session, portal: Portal): ResultPlan {
  const fields = portal.fields ?? portal.statement.fields;
  if (fields === undefined || fields === 'none') {
    throw new Fault('TARGET_PROTOCOL', 'rows of a statement that the server never described');
  }
  return planFor(session, portal.run, inFormats(fields, portal.resultFormats));
}

/**
 * The second guard. Every field that the server says comes from a column must be one the facts know, none may be one
 * that was masked in the text, and where the facts say that a labelled column leaves as itself, it must be that one.
 */
function agree(facts: StatementFacts, fields: readonly Field[], masked: ReadonlySet<number>): boolean {
  const { known, rows, leaving } = expectationsOf(facts);
  for (const field of fields) {
    if (masked.has(place(field))) return false;
    const expected = field.attribute === 0 ? rows.has(field.table) : known.has(place(field));
    if (field.table !== 0 && !expected) return false;
  }
  return leaving.every(({ column, outputs }) => {
    if (masked.has(column)) return true;
    return outputs.every((position) => {
      const field = fields[position];
      return field !== undefined && place(field) === column;
    });
  });
}

const NONE: ReadonlySet<number> = new Set();

/** Places of columns that a subquery in the text masks: what leaves there is computed, and comes from nowhere. */
function maskedIn(position: number, obligations: readonly Obligation[]): ReadonlySet<number> {
  const sources = obligations.filter((one) => one.kind === 'source' && one.statement === position);
  if (sources.length === 0) return NONE;
  return new Set(
    sources.flatMap((one) =>
      one.kind === 'source' ? one.columns.map(({ attribute }) => place({ table: one.table, attribute })) : [],
    ),
  );
}

interface Expectations {
  /** Places of all columns the statement touches. */
  readonly known: ReadonlySet<number>;
  /** Tables whose columns go into something: the server gives a whole row as attribute 0 of its table. */
  readonly rows: ReadonlySet<number>;
  /** Labelled ones that leave as themselves, and as which fields. */
  readonly leaving: readonly { readonly column: number; readonly outputs: readonly number[] }[];
}

const expectations = new WeakMap<StatementFacts, Expectations>();

function expectationsOf(facts: StatementFacts): Expectations {
  const found = expectations.get(facts);
  if (found !== undefined) return found;
  // A plan shows no values.
  const shown = facts.explains ? [] : facts.columns.filter((column) => column.use === 'read');
  const leaving = shown
    .filter((use) => use.labels.length > 0)
    .map((use) => ({ column: place(use), outputs: use.outputs ?? [] }));
  const rows = new Set(facts.columns.filter((column) => column.use === 'derive').map((column) => column.table));
  const made = { known: new Set(facts.columns.map(place)), rows, leaving };
  expectations.set(facts, made);
  return made;
}

/** A table's OID and an attribute number as one number: 32 bits and 16. */
function place({ table, attribute }: { readonly table: number; readonly attribute: number }): number {
  return table * 0x1_0000 + (attribute & 0xffff);
}

export function detectorHit(): Denial {
  return deny('forbidden', 'the result holds values that a detector of this target refuses; it was withheld');
}
