import { describe, expect, it } from 'vitest';
import type { ColumnUse, SourceSite, StatementFacts } from '../core/facts.ts';
import { decideSql } from './statement.ts';
import { alice, chainOf, engineFor } from './testing/chain.ts';
import { column, email, question, secret, statement } from './testing/sql.ts';

const READS = '@id("reads") permit (principal, action == Action::"select", resource);';
const LOOKS_UP =
  '@id("looks-up") permit (principal, action == Action::"filter", resource) when { context.filter == "equality" };';
const FILTERS = '@id("filters") permit (principal, action == Action::"filter", resource);';
const REVEALS = '@id("reveals") permit (principal, action == Action::"reveal", resource in Label::"pii.email");';

const derive = column('c.email', 'derive', [email]);
const read = column('c.email', 'read', [email]);
const filter = (grade: 'equality' | 'any', more: Partial<ColumnUse> = {}): ColumnUse => {
  return { ...column('c.email', 'filter', [email]), filter: grade, ...more };
};

function site(more: Partial<SourceSite> = {}): SourceSite {
  const shape = {
    from: 3,
    to: 4,
    only: false,
    stands: 'from',
    alias: 'c',
    system: [],
    whole: false,
    filters: [],
  } as const;
  return { ...shape, table: 16400, schema: 'public', relation: 'c', columns: [], ...more };
}

function select(columns: readonly ColumnUse[], sites?: readonly SourceSite[], more: Partial<StatementFacts> = {}) {
  const sources = sites ? { sources: { sites, qualifiers: [] } } : {};
  return statement('select', { c: ['select'] }, { columns, ...sources, ...more });
}

/** What becomes of the columns, in a few words. */
function ruling(policies: string, facts: StatementFacts): string[] {
  const { decision } = decideSql(engineFor(policies), question(chainOf(alice), [facts]));
  if (decision.effect !== 'permit') return [decision.effect === 'deny' ? decision.reason : 'held'];
  return decision.obligations.map((duty) => {
    switch (duty.kind) {
      case 'mask':
        return `mask ${duty.style}`;
      case 'redact':
        return `redact output ${duty.position}`;
      case 'source':
        return `source ${duty.columns.map((one) => `${one.masks.map(({ style }) => style).join('+')}${one.filtered ? ' filtered' : ''}`).join(', ')}; clear ${duty.clear.join(', ')}`;
      case 'terse':
        return duty.messages ? 'no messages' : 'no details';
      default:
        return duty.kind;
    }
  });
}

describe('a labelled column that may not be seen', () => {
  it.each<[string, string, StatementFacts, string[]]>([
    ['leaves masked', READS, select([read]), ['mask email']],
    ['is computed with from its mask', READS, select([derive], [site()]), ['source email; clear ']],
    [
      'leaves masked at the source, too, where something is computed',
      READS,
      select([read, derive], [site()]),
      ['source email; clear '],
    ],
    ['is not computed with where its relation stays', READS, select([derive]), ['labelled-column']],
    [
      'is covered as a whole there, if that tells nothing',
      READS,
      select([{ ...derive, outputs: [2] }]),
      ['redact output 2', 'no messages'],
    ],
    [
      'is not where there are no cells to cover',
      READS,
      select([{ ...derive, outputs: [0] }], undefined, { copy: { direction: 'out', format: 'text' } }),
      ['labelled-column'],
    ],
    [
      'is denied where its label says so',
      READS,
      select([column('c.email', 'derive', [{ ...email, derive: 'deny' }])], [site()]),
      ['labelled-column'],
    ],
    ['stays itself for those who may', READS + REVEALS, select([derive], [site()]), []],
    [
      'is masked for one label where another is revealed',
      READS + REVEALS,
      select([column('c.email', 'derive', [secret, email])], [site()]),
      ['source null; clear '],
    ],
    ['filters by equality where that is permitted', READS + LOOKS_UP, select([filter('equality')]), []],
    ['filters by nothing else then', READS + LOOKS_UP, select([filter('any')]), ['labelled-column']],
    ['filters by anything where that is permitted', READS + FILTERS, select([filter('any')]), ['no messages']],
    [
      'is denied as a filter, masked or not',
      READS,
      select([derive, filter('equality')], [site()]),
      ['labelled-column'],
    ],
    [
      'is seen by a permitted filter beside its mask',
      READS + LOOKS_UP,
      select([derive, filter('equality')], [site({ filters: [{ attribute: 5, at: 9 }] })]),
      ['source email filtered; clear '],
    ],
    [
      'is not where the row is used whole',
      READS + LOOKS_UP,
      select([derive, filter('equality')], [site({ whole: true, filters: [{ attribute: 5, at: 9 }] })]),
      ['labelled-column'],
    ],
    [
      'is not where the filter is out of reach',
      READS + LOOKS_UP,
      select([derive, filter('equality', { through: true })], [site()]),
      ['labelled-column'],
    ],
  ])('%s', (_name, policies, facts, expected) => {
    expect(ruling(policies, facts)).toEqual(expected);
  });

  it('leaves other labelled columns of its relation as they may be seen', () => {
    const name = column('c.nickname', 'read', [{ label: 'pii.name', style: 'redact' }]);
    const names = '@id("names") permit (principal, action == Action::"reveal", resource in Label::"pii.name");';
    expect(ruling(READS + names, select([derive, name], [site()]))).toEqual(['source email; clear 8']);
  });

  it('is masked at every path its labels name, or wholly by the strictest', () => {
    const at = (path: string) => ({ label: 'pii', style: 'redact', path: [path] }) as const;
    expect(ruling(READS, select([column('c.email', 'read', [at('a'), at('b')])]))).toEqual([
      'mask redact',
      'mask redact',
    ]);
    expect(ruling(READS, select([column('c.email', 'read', [at('a'), secret])]))).toEqual(['mask null']);
  });
});
