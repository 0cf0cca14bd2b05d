import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../core/fault.ts';
import { tokens } from './lexer.ts';
import { EVASIONS } from './testing/evasions.ts';
import { type RealShop, startShop, tell } from './testing/real.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

let shop: RealShop;

beforeAll(async () => {
  shop = await startShop();
});

afterAll(async () => {
  await shop?.stop();
});

describe('an attempt to go unseen', () => {
  it.each(EVASIONS)('shows: %s', (text, must) => {
    const told = shop
      .read(text)
      .statements.flatMap(({ uses, columns, settings, ...rest }) => [
        ...tell({ uses, columns, settings: [], ...rest }).split(/ \| |, /),
        ...settings.map((setting) => `setting ${setting.name} ${setting.class}`),
      ]);
    expect(told).toContain(must);
  });

  it('ends in facts or a Fault, however statements are cut and put together', () => {
    const pieces = EVASIONS.map(([text]) => [...tokens(text)].map(({ start, end }) => text.slice(start, end)));
    const cut = fc.tuple(fc.constantFrom(...pieces), fc.nat(40), fc.nat(40));
    let read = 0;
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 3 }), (cuts) => {
        const [first = [pieces[0] ?? [], 0, 0], ...rest] = cuts;
        const words = [...first[0]];
        for (const [other, from, at] of rest) words.splice(at, from % 4, ...other.slice(from, from + 1 + (at % 12)));
        try {
          shop.read(words.join(' '));
          read += 1;
        } catch (error) {
          expect(error, words.join(' ')).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 4_000 * EFFORT },
    );
    expect(read).toBeGreaterThan(400);
  });

  it('is something the server understands, or it would prove nothing', async () => {
    const client = new pg.Client({ ...shop.server, database: 'postgres', statement_timeout: 1_000 });
    await client.connect();
    const refused: string[] = [];
    for (const [text] of EVASIONS) {
      try {
        await client.query(`begin; ${text}; rollback`);
      } catch (error) {
        await client.query('rollback');
        refused.push(`${(error as { code?: string }).code} ${text}: ${(error as Error).message}`);
      }
    }
    await client.end();
    // Syntax, unknown column, table, function: then the row above would prove nothing.
    expect(refused.filter((each) => /^(42601|42703|42P01|42883)/.test(each))).toEqual([]);
    expect(refused.length).toBeLessThan(30);
  });
});
