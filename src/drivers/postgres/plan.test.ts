import { describe, expect, it } from 'vitest';
import type { ColumnUse, StatementFacts } from '../../core/facts.ts';
import type { MaskObligation, Obligation, SourceObligation } from '../../core/obligation.ts';
import type { Session } from '../../core/session.ts';
import type { Field } from '../../wire/postgres/row-description.ts';
import { planFor } from './plan.ts';
import type { Run } from './run.ts';

const EMAIL = { table: 16400, attribute: 3 };
const ID = { table: 16400, attribute: 1 };
const COMPUTED = { table: 0, attribute: 0 };

function use(place: { table: number; attribute: number }, more: Partial<ColumnUse>): ColumnUse {
  return { column: { kind: 'Column', path: [] }, use: 'read', labels: [], ...place, ...more };
}
const email = (outputs: readonly number[]) => use(EMAIL, { labels: [{ label: 'pii', style: 'email' }], outputs });
const id = use(ID, {});

const mask: MaskObligation = { kind: 'mask', column: 'email', ...EMAIL, label: 'pii', style: 'email' };
const source: SourceObligation = {
  kind: 'source',
  statement: 0,
  table: EMAIL.table,
  columns: [{ column: 'email', attribute: EMAIL.attribute, masks: [], filtered: false }],
  clear: [],
};

/** Whether the result passes, and whether the catalog is doubted. */
function guard(
  columns: readonly ColumnUse[],
  places: readonly { table: number; attribute: number }[],
  duty: Obligation,
) {
  let doubted = false;
  const session = {
    target: { name: 'shop' },
    database: 'shop',
    reader: {
      changed: () => {
        doubted = true;
      },
    },
  } as unknown as Session;
  const statement = { columns } as unknown as StatementFacts;
  const run = { statement, position: 0, clearance: { obligations: [duty] } } as unknown as Run;
  const fields = places.map((place): Field => ({ name: 'f', type: 25, modifier: -1, format: 0, ...place }));
  try {
    planFor(session, run, fields);
    return 'passes';
  } catch {
    return doubted ? 'doubted' : 'faulty';
  }
}

describe('the second guard', () => {
  it.each([
    ['a labelled column where it is awaited', [email([1]), id], [ID, EMAIL], mask, 'passes'],
    ['one twice', [email([0, 1])], [EMAIL, EMAIL], mask, 'passes'],
    ['one twice of which the server traces one', [email([0, 1])], [EMAIL, COMPUTED], mask, 'doubted'],
    ['one in another place', [email([0]), id], [ID, EMAIL], mask, 'doubted'],
    ['one that is missing', [email([0])], [COMPUTED], mask, 'doubted'],
    ['one that nobody found', [id], [ID, EMAIL], mask, 'doubted'],
    ['one masked in the text', [email([0]), id], [COMPUTED, ID], source, 'passes'],
    ['one masked in the text that shows itself', [email([0]), id], [EMAIL, ID], source, 'doubted'],
  ] as const)('%s', (_name, columns, places, duty, expected) => {
    expect(guard(columns, places, duty)).toBe(expected);
  });
});
