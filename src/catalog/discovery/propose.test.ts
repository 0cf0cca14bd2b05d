import { describe, expect, it } from 'vitest';
import type { ColumnLabel } from '../../core/facts.ts';
import type { TypeClass } from './names.ts';
import type { Find } from './proposal.ts';
import { encodeName, propose } from './propose.ts';
import { Tally } from './tally.ts';

/** `email`, `card` and so on stand for what is found; anything else for itself. */
const find: Find = (text, found) => {
  for (const [word] of text.matchAll(/\b(email|card|ssn|secret|entropy|ip|order-key)\b/g)) found(word, word.length);
};

interface Shape {
  readonly name?: string;
  readonly table?: string;
  readonly type?: TypeClass;
  readonly labels?: readonly ColumnLabel[];
  readonly json?: boolean;
}

function proposals(values: readonly unknown[] | undefined, shape: Shape = {}): string[] {
  const { name = 'thing', table = 'things', type = 'text', labels = [], json = false } = shape;
  const tally = values && new Tally(find);
  for (const value of values ?? []) {
    if (json) tally?.json(JSON.stringify(value));
    else tally?.text(String(value));
  }
  const found = propose({ relation: { schema: 'public', name: table }, column: { name, labels }, type, tally });
  return found.map(({ label, mask, path, confidence, matched, cells, within }) =>
    [
      label,
      mask,
      ...(path ? [`@${path.join('.')}`] : []),
      confidence,
      `${matched}/${cells}`,
      ...(within ? ['within'] : []),
    ].join(' '),
  );
}

const times = <T>(count: number, value: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => value(i));

describe('values', () => {
  it.each<[string, readonly string[], Shape, readonly string[]]>([
    ['nearly all', times(100, (i) => (i < 95 ? 'email' : 'none')), {}, ['pii.email email sure 95/100']],
    ['some', times(100, (i) => (i < 20 ? 'email' : 'none')), {}, ['pii.email email likely 20/100']],
    ['a few', times(100, (i) => (i < 3 ? 'email' : 'none')), {}, ['pii.email email maybe 3/100']],
    ['hardly any', times(1000, (i) => (i < 3 ? 'email' : 'none')), {}, []],
    ['one of one', ['email'], {}, ['pii.email email maybe 1/1']],
    ['one of two', ['email', 'none'], {}, []],
    ['one of two under its name', ['email', 'none'], { name: 'email' }, ['pii.email email likely 1/2']],
    ['all under its name', times(30, () => 'email'), { name: 'mail_to_email' }, ['pii.email email sure 30/30']],
    ['numbers, a few of which pass for cards', times(100, (i) => (i < 9 ? 'card' : '4000')), {}, []],
    ['cards', times(100, (i) => (i < 60 ? 'card' : 'none')), {}, ['pci.pan partial likely 60/100']],
    [
      'cards in texts',
      times(100, (i) => (i < 5 ? 'paid with my card in March' : 'tea')),
      {},
      ['pci.pan redact likely 5/100 within'],
    ],
    ['one card in a text', ['paid with my card in March', 'tea'], {}, []],
    ['versions', times(100, (i) => (i < 30 ? 'ip' : '1.2')), {}, []],
    ['versions in texts', times(100, (i) => (i < 10 ? 'see release ip for it' : 'tea')), {}, []],
    ['random identifiers', times(100, (i) => (i < 40 ? 'entropy' : 'none')), {}, []],
    ['keys', times(100, () => 'secret entropy'), {}, ['secret redact likely 100/100 within']],
    [
      'two kinds',
      times(20, (i) => (i % 2 ? 'email' : 'ssn')),
      {},
      ['pii.ssn redact likely 10/20', 'pii.email email likely 10/20'],
    ],
    ['what an own detector finds', times(20, () => 'order-key'), {}, ['order-key redact sure 20/20']],
  ])('%s', (_name, values, shape, expected) => {
    expect(proposals(values, shape)).toEqual(expected);
  });
});

describe('names', () => {
  it('speak where there is nothing to look at', () => {
    expect(proposals([], { name: 'email' })).toEqual(['pii.email email likely 0/0']);
    expect(proposals(undefined, { name: 'dob', type: 'date' })).toEqual(['pii.born date likely 0/0']);
    expect(proposals([], { name: 'name', table: 'customers' })).toEqual(['pii.name redact maybe 0/0']);
  });

  it('do not, where values say otherwise', () => {
    expect(
      proposals(
        times(20, () => 'welcome'),
        { name: 'email' },
      ),
    ).toEqual([]);
    expect(
      proposals(
        times(19, () => 'welcome'),
        { name: 'email' },
      ),
    ).toEqual(['pii.email email likely 0/19']);
    // Numbers are written in too many ways for that.
    expect(
      proposals(
        times(50, () => '030 / 12'),
        { name: 'phone' },
      ),
    ).toEqual(['pii.phone partial likely 0/50']);
    expect(
      proposals(
        times(50, () => 'email'),
        { name: 'token' },
      ),
    ).toEqual(['pii.email email sure 50/50']);
  });
});

describe('json', () => {
  const json = { json: true, name: 'data' };

  it('has its finds at a path, where they all lie there', () => {
    const values = times(20, (i) => ({ id: i, contact: { mail: 'email', town: 'Rome' } }));
    expect(proposals(values, json)).toEqual(['pii.email email @contact.mail sure 20/20']);
    expect(
      proposals(
        times(20, () => ({ list: [{ to: 'none' }, { to: 'email' }] })),
        json,
      ),
    ).toEqual(['pii.email email @list.to likely 20/20 within']);
  });

  it('has several paths, or what they have in common', () => {
    expect(
      proposals(
        times(20, () => ({ a: 'email', b: { c: 'ssn' } })),
        json,
      ),
    ).toEqual(['pii.email email @a sure 20/20', 'pii.ssn redact @b.c sure 20/20']);
    const many = Object.fromEntries(times(6, (i) => [`k${i}`, 'email']));
    expect(
      proposals(
        times(20, () => ({ all: many, x: 1 })),
        json,
      ),
    ).toEqual(['pii.email email @all sure 20/20 within']);
    expect(
      proposals(
        times(20, () => many),
        json,
      ),
    ).toEqual(['pii.email redact sure 20/20 within']);
  });

  it('is told as a whole where keys are data', () => {
    const people = times(50, (i) => ({ [`alice${i}`]: { mail: 'email' }, theme: 'dark' }));
    expect(proposals(people, json)).toEqual(['pii.email redact sure 50/50 within']);
    expect(
      proposals(
        times(50, () => ({ 'x email x': { seen: 1 } })),
        json,
      ),
    ).toEqual(['pii.email redact likely 50/50 within']);
    expect(
      proposals(
        times(50, (i) => ({ [`bob${i}`]: { password: 'x' } })),
        json,
      ),
    ).toEqual(['secret redact maybe 0/50 within']);
    expect(proposals([{ bob: 'email' }], json)).toEqual(['pii.email redact maybe 1/1 within']);
  });

  it('has the names of its keys weighed', () => {
    expect(
      proposals(
        times(20, () => ({ login: { password: 'x' } })),
        json,
      ),
    ).toEqual(['secret null @login.password likely 0/20']);
  });

  it('is not told again where it is labelled', () => {
    const labels: ColumnLabel[] = [{ label: 'pii', style: 'redact', path: ['contact'] }];
    const values = times(20, () => ({ contact: { mail: 'email' }, other: 'ssn' }));
    expect(proposals(values, { ...json, labels })).toEqual(['pii.ssn redact @other sure 20/20']);
  });

  it('may be no object, or no json', () => {
    expect(
      proposals(
        times(20, () => ['email', 'email']),
        json,
      ),
    ).toEqual(['pii.email email sure 20/20']);
    const tally = new Tally(find);
    for (let i = 0; i < 20; i++) tally.json('{email');
    expect(tally).toMatchObject({ cells: 20 });
  });

  it('of any depth and breadth is counted in bounds', () => {
    const tally = new Tally(find);
    for (let i = 0; i < 30; i++) tally.json(JSON.stringify(Object.fromEntries(times(50, (j) => [`k${i}_${j}`, 'x']))));
    tally.json(`${'{"a":'.repeat(2_000)}"email"${'}'.repeat(2_000)}`);
    expect(tally.places.size).toBeLessThanOrEqual(500);
  });
});

it('a name becomes a part of a pattern that means just it', () => {
  expect(encodeName('odd.na*me 100%')).toBe('odd%2Ena%2Ame 100%25');
});
