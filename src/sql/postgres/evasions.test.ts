import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVASIONS } from './testing/evasions.ts';
import { type RealShop, startShop, tell } from './testing/real.ts';

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
