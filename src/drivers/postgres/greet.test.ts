import { describe, expect, it } from 'vitest';
import { readOptions } from './greet.ts';

describe('the options of a startup message', () => {
  it.each([
    ['-c statement_timeout=5s', [['statement_timeout', '5s']]],
    [
      '-cgeqo=off --work-mem=4MB',
      [
        ['geqo', 'off'],
        ['work_mem', '4MB'],
      ],
    ],
    ['-c search_path=a\\ b', [['search_path', 'a b']]],
    ['', []],
  ])('%s', (options, settings) => {
    expect(readOptions(options)).toEqual(settings);
  });

  it.each(['-d 5', 'statement_timeout=5', '-c', '-c novalue'])('refuses %s', (options) => {
    expect(() => readOptions(options)).toThrow(expect.objectContaining({ code: 'PROTOCOL_UNSUPPORTED' }));
  });
});
