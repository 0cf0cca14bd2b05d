import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseSince } from './duration.ts';
import { reportText } from './report.ts';

const plain = (report: object): string => stripVTControlCharacters(reportText({ ...report }));

const STATEMENT = {
  fingerprint: 'f',
  statement: 'select ?',
  operations: 1,
  first: 'then',
  last: 'now',
  who: ['alice'],
  needs: [],
};
const GROUP = { effect: 'deny', enforced: false, policies: [], rules: [], operations: 1, statements: [STATEMENT] };
const REPORT = {
  target: 'shop',
  mode: 'observe',
  since: 'then',
  until: 'now',
  sessions: { started: 1, refused: 0 },
  operations: { cleared: 1, denied: 0, held: 0, would_deny: 1, would_hold: 0, failed: 0 },
  who: [],
  groups: [],
  labelled: [],
  found: [],
  left_out: { who: 0, groups: 0, statements: 0, labelled: 0 },
  verdict: { ready: false, message: 'Not yet' },
};

describe('the report for people', () => {
  it('ends with whether to enforce, and leaves out what is empty', () => {
    const text = plain(REPORT);
    expect(text.split('\n').at(-1)).toBe('Ready to enforce? Not yet');
    expect(text).not.toMatch(/Who|Labelled|Detectors|more than a report holds|Past the gateway/);
  });

  it.each([
    ['the rule that would be asked', { ...GROUP, effect: 'hold', rules: ['dba', 'lead'] }, 'next  asks dba and lead'],
    ['that a guardrail stays', { ...GROUP, reason: 'forbidden' }, 'next  a guardrail'],
    ['where else to look', GROUP, 'next  sallyport explain'],
    [
      'every line that is missing',
      { ...GROUP, statements: [{ ...STATEMENT, needs: ['permit one;', 'permit two;'] }] },
      'next  permit one;\n    next  permit two;',
    ],
    [
      'what could not be read',
      { ...GROUP, statements: [{ ...STATEMENT, statement: undefined }] },
      '(could not be read)',
    ],
    [
      'statements without what moves a cursor',
      { ...GROUP, statements: [{ ...STATEMENT, statement: 'select "\u001b[31m"' }] },
      'select "\\u001b[31m"',
    ],
    [
      'that there are more',
      { ...GROUP, statements: Array.from({ length: 13 }, () => STATEMENT) },
      'and 3 more (--json has them)',
    ],
  ])('says %s', (_name, group, expected) => {
    expect(plain({ ...REPORT, groups: [group] })).toContain(expected);
  });

  it('says what it had no room for, and of whom it knows nothing', () => {
    const text = plain({
      ...REPORT,
      left_out: { ...REPORT.left_out, groups: 12 },
      bypass: { sessions: 2 },
    });
    expect(text).toContain('12 operations in groups');
    expect(text).toContain('2 sessions (sallyport targets test shop)');
  });
});

it('takes a span or a time', () => {
  const hour = Date.parse(parseSince('1h'));
  expect(Math.abs(Date.now() - 3_600_000 - hour)).toBeLessThan(5_000);
  expect(parseSince('2026-01-31T12:00:00Z')).toBe('2026-01-31T12:00:00.000Z');
  expect(parseSince('2026-01-31')).toBe('2026-01-31T00:00:00.000Z');
  for (const wrong of ['', 'yesterday', '0d', '-1h', '2026-13-01']) expect(() => parseSince(wrong)).toThrow();
});
