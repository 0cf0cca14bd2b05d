import type { StatementFacts } from '../../core/facts.ts';
import { readCopy } from './copy.ts';
import { readDdl } from './ddl.ts';
import { Ledger } from './ledger.ts';
import type { Names } from './names.ts';
import type { Positions } from './positions.ts';
import { readQuery } from './query.ts';
import { readSet, readShow } from './session.ts';
import { RAW_PREFIX } from './sites.ts';
import type { Shape } from './sources.ts';
import { readTransaction } from './transaction.ts';
import { nodeOf, type Value } from './tree.ts';
import { readUtility } from './utility.ts';

/** One statement. What no reader knows is opaque. */
export function readStatement(value: Value, names: Names, positions: Positions): StatementFacts {
  const { sources, ...facts } = factsOf(value, names, positions);
  if (!sources) return facts;
  // Where a value would stand beside its mask, nothing in the statement may be able to name it, by whatever syntax.
  const beside = sources.sites.some(({ filters }) => filters.length > 0);
  return beside && JSON.stringify(value).includes(RAW_PREFIX) ? facts : { ...facts, sources };
}

function factsOf(value: Value, names: Names, positions: Positions): StatementFacts {
  const { tag, body } = nodeOf(value);
  const ledger = new Ledger(names, positions);
  switch (tag) {
    case 'SelectStmt':
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      told(readQuery(value, { ledger, scope: undefined }), ledger);
      const { settings, uses } = ledger.facts();
      // set_config is SET; anything else that touches nothing is a constant.
      const session = settings.length > 0 && uses.length === 0;
      const harmless = settings.every((setting) => setting.class !== 'admin');
      const free = tag === 'SelectStmt' && (ledger.empty || session) && ledger.idle && harmless;
      return ledger.facts({ free, ...(session ? { verb: 'session' } : {}) });
    }
    case 'TransactionStmt':
      return readTransaction(body, ledger);
    case 'VariableSetStmt':
      return readSet(body, ledger);
    case 'VariableShowStmt':
      return readShow(ledger);
    case 'CopyStmt':
      return readCopy(body, ledger);
    default:
      return readUtility(tag, body, ledger) ?? readDdl(tag, body, ledger);
  }
}

/** The result goes to the client: plain columns as themselves, everything else as computed. */
export function told(shape: Shape, ledger: Ledger): void {
  for (const [position, { name, base, origin, sources, total }] of shape.outputs.entries()) {
    // Through subqueries and WITH queries, too, the server traces a column that is only passed on.
    const passed = base ?? origin;
    if (!passed && sources.size > 0) ledger.computed(position, name, sources);
    // Where columns are that nobody can list, it cannot be said where a labelled one leaves.
    if (passed && (passed.labels.length === 0 || !shape.open)) ledger.leaves(passed, position);
    else if (total && !shape.open) ledger.shown(sources, position);
    else ledger.columns(sources, 'derive');
  }
  ledger.columns(shape.open ?? new Set(), 'derive');
}

/** The result goes into a table, a file or a stream without RowDescription. */
export function stored(shape: Shape, ledger: Ledger): void {
  for (const { sources } of shape.outputs) ledger.columns(sources, 'derive');
  ledger.columns(shape.open ?? new Set(), 'derive');
}
