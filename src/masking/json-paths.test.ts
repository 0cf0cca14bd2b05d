import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPathMask } from './json-paths.ts';
import { constantMask } from './masker.ts';

const [JSON_TYPE, JSONB] = [114, 3802];
const encoder = new TextEncoder();
const WHOLE = '"whole"';

function masked(
  text: string,
  paths: readonly string[][],
  { type = JSON_TYPE, format = 0 as 0 | 1, style = 'redact' as 'redact' | 'null' } = {},
): string {
  const field = { table: 1, attribute: 1, type, format };
  const otherwise = constantMask(encoder.encode(WHOLE));
  const masker = jsonPathMask(
    field,
    paths.map((path) => ({ style, path })),
    otherwise,
  );
  const prefix = type === JSONB && format === 1 ? Uint8Array.of(1) : new Uint8Array(0);
  const value = Uint8Array.from([...prefix, ...encoder.encode(text)]);
  // Other bytes around it, which must not be read as part of it.
  const from = Uint8Array.from([...encoder.encode('{"ssn":'), ...value, ...encoder.encode('"ssn":1}]')]);
  const to = new Uint8Array((masker?.most(value.length) ?? 0) + 3);
  const length = masker?.mask(from, 7, 7 + value.length, to, 3) ?? 0;
  expect(length).toBeLessThanOrEqual(to.length - 3);
  return new TextDecoder().decode(to.subarray(3, 3 + length));
}

describe('a mask by path', () => {
  it.each<[string, string[][], string]>([
    ['{"ssn": "1", "name": "x"}', [['ssn']], '{"ssn": "***", "name": "x"}'],
    ['{"ssn":1,"ssn":2}', [['ssn']], '{"ssn":"***","ssn":"***"}'],
    ['{"\\u0073sn":1,"s\\u0073n":{"a":[1]}}', [['ssn']], '{"\\u0073sn":"***","s\\u0073n":"***"}'],
    ['{"a":{"b":1,"c":2}}', [['a', 'b']], '{"a":{"b":"***","c":2}}'],
    ['[{"b":1},{"b":2,"c":3}]', [['b']], '[{"b":"***"},{"b":"***","c":3}]'],
    ['{"a":[{"b":1},[{"b":2}]]}', [['a', 'b']], '{"a":[{"b":"***"},[{"b":"***"}]]}'],
    ['{"a":[1,2,3]}', [['a', '1']], '{"a":[1,"***",3]}'],
    ['{"a":{"1":5}}', [['a', '1']], '{"a":{"1":"***"}}'],
    ['{"x":1,"y":2}', [['x'], ['y']], '{"x":"***","y":"***"}'],
    ['{"a":{"b":1}}', [['a'], ['a', 'b']], '{"a":"***"}'],
    ['{"name":"ssn","q":"\\"ssn\\":1"}', [['ssn']], '{"name":"ssn","q":"\\"ssn\\":1"}'],
    [' 3 ', [['ssn']], ' 3 '],
    ['"ssn"', [['ssn']], '"ssn"'],
    ['{}', [['ssn']], '{}'],
    ['', [['ssn']], WHOLE],
    ['{"ssn":1', [['ssn']], WHOLE],
    ['{"ssn":1}}', [['ssn']], WHOLE],
    ['{"ssn":}', [['ssn']], WHOLE],
    ['{"a":1 "ssn":2}', [['ssn']], WHOLE],
    ['{"\\uD":1}', [['ssn']], WHOLE],
    [`${'['.repeat(300)}1${']'.repeat(300)}`, [['ssn']], WHOLE],
  ])('of %s at %j', (text, paths, expected) => {
    expect(masked(text, paths)).toBe(expected);
  });

  it('is the same in both formats of jsonb', () => {
    expect(masked('{"ssn": 1}', [['ssn']], { type: JSONB, format: 1 })).toBe('\u0001{"ssn": "***"}');
    expect(masked('{"ssn": 1}', [['ssn']], { type: JSONB })).toBe('{"ssn": "***"}');
  });

  it('shows null where that is its style', () => {
    expect(masked('{"ssn": {"a": 1}}', [['ssn']], { style: 'null' })).toBe('{"ssn": null}');
  });

  it('does what a plain walk over the parsed value does', () => {
    const keys = fc.constantFrom('a', 'b', '0', '1');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(1, null, 'a', ''),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(
        json,
        fc.array(fc.array(keys, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
        fc.boolean(),
        (value, paths, pretty) => {
          const text = JSON.stringify(value, undefined, pretty ? 2 : 0);
          expect(JSON.parse(masked(text, paths))).toEqual(plain(value, paths));
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** The slow reference: on values, not on bytes. */
function plain(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return '***';
  if (Array.isArray(value)) {
    return value.map((each, index) => plain(each, [...paths, ...under(paths, String(index))]));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, under(paths, key))]));
}

function under(paths: readonly (readonly string[])[], key: string): string[][] {
  return paths.filter((path) => path[0] === key).map((path) => path.slice(1));
}
