import { beforeAll, describe, expect, it } from 'vitest';
import { checkLimits, LIMITS } from './limits.ts';
import { loadParser, parse } from './parser.ts';

beforeAll(loadParser);

const many = (count: number, piece: string, joint = ''): string => Array(count).fill(piece).join(joint);

describe('limits before the parser', () => {
  it.each([
    ['2 MiB', `select '${'x'.repeat(2 << 20)}'`, 'PROTOCOL_LIMIT'],
    ['1 MiB of characters of three bytes', `select '${'€'.repeat(360_000)}'`, 'PROTOCOL_LIMIT'],
    ['NUL', 'select 1\0; delete from t', 'SQL_UNREADABLE'],
    ['too many tokens', `select ${many(LIMITS.tokens, '1', ',')}`, 'PROTOCOL_LIMIT'],
    ['brackets 100,000 deep', `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`, 'PROTOCOL_LIMIT'],
    ['CASE 5,000 deep', `select ${many(5_000, 'case when true then ')}1${many(5_000, ' end')}`, 'PROTOCOL_LIMIT'],
    ['200,000 terms', `select ${many(200_000, '1', '+')}`, 'PROTOCOL_LIMIT'],
    ['casts', `select 1${many(20_000, '::int')}`, 'PROTOCOL_LIMIT'],
    ['unions', many(20_000, 'select 1', ' union '), 'PROTOCOL_LIMIT'],
    ['joins', `select 1 from a${many(20_000, ' cross join b')}`, 'PROTOCOL_LIMIT'],
    ['NOT', `select ${many(20_000, 'not ')}true`, 'PROTOCOL_LIMIT'],
    [
      'chains inside brackets on the left',
      `select ${'('.repeat(200)}1${many(200, `${many(30, '+1')})`)}`,
      'PROTOCOL_LIMIT',
    ],
  ])('refuse %s', (_name, text, code) => {
    expect(() => checkLimits(text)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['an INSERT of 10,000 rows', `insert into t values ${many(10_000, "(1, 'a', now(), null)", ', ')}`],
    ['an IN list of 50,000', `select 1 from t where a in (${many(50_000, '1', ',')})`],
    ['2,000 ORed pairs', `select 1 from t where ${many(2_000, '(a = 1 and b = 2)', ' or ')}`],
    ['200 joins', `select 1 from a${many(200, ' left join b on a.x = b.y')}`],
    ['300 unions', many(300, 'select a from b where c = 1', ' union all ')],
    ['a function of 500 kB', `create function f() returns int language plpgsql as $x$ ${many(100_000, 'a + ')} $x$`],
    ['1,000 statements', many(1_000, 'select 1', '; ')],
  ])('let pass %s, and the parser reads it', (_name, text) => {
    expect(() => parse(text)).not.toThrow();
  });

  it.each([[''], [' \n\t'], [';'], [';;'], ['-- nothing'], ['/* nothing */ ;']])('call %j empty', (text) => {
    expect(parse(text)).toEqual([]);
  });

  it('leave the verdict on what is merely wrong to the parser', () => {
    expect(() => parse("select 'open")).toThrow(expect.objectContaining({ code: 'SQL_UNREADABLE' }));
    expect(() => parse('selec 1')).toThrow(expect.objectContaining({ code: 'SQL_UNREADABLE' }));
  });
});
