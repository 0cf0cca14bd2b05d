import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Everyday, everyday } from './testing/everyday.ts';
import { type Answer, ask, comparable, RAW, unmasked } from './testing/everyday-answer.ts';
import { Gateway } from './testing/gateway.ts';

// What clients and people send every day is answered through the gateway as it is directly, masked cells aside.

let gateway: Gateway;
let through: pg.Client;
let direct: pg.Client;

beforeAll(async () => {
  gateway = await Gateway.start({ policies: { 'looks-up.cedar': LOOKS_UP } });
  through = await gateway.client(await gateway.person('alice'));
  direct = await gateway.direct();
});
afterAll(async () => {
  await Promise.all([through?.end(), direct?.end()]);
  await gateway?.stop();
});

const LOOKS_UP = `@id("support-looks-up")
permit (principal in Group::"support", action == Action::"filter", resource in Label::"pii.email")
when { context.filter == "equality" };`;

/** In a transaction that is taken back; numbers of orders come from the same place on both sides. */
async function tried(client: pg.Client, statement: Everyday, mode: 'simple' | 'extended'): Promise<Answer> {
  if (/insert|merge/i.test(statement.text)) await direct.query(`select setval('orders_id_seq', 400)`);
  await client.query('begin');
  try {
    return await ask(client, statement, mode);
  } finally {
    await client.query('rollback');
  }
}

const MODES = ['simple', 'extended'] as const;

it('are many, and most are answered', () => {
  const all = everyday().flatMap(({ statements }) => statements);
  expect(all.length).toBeGreaterThan(400);
  expect(all.filter(({ refused }) => refused !== undefined).length / all.length).toBeLessThan(0.15);
});

describe.each(everyday())('$name', ({ statements }) => {
  const cases = statements.flatMap((statement) =>
    MODES.filter((mode) => mode === 'extended' || statement.values.length === 0).map((mode) => ({
      ...statement,
      mode,
    })),
  );

  it.each(cases)('$source ($mode): $text', async ({ mode, ...statement }) => {
    const [plain, seen] = [await tried(direct, statement, mode), await tried(through, statement, mode)];
    expect(plain.message).toBe(undefined);
    if (statement.refused !== undefined) {
      expect(seen.code).toBe(statement.refused);
      return;
    }
    const { answer, wrong } = unmasked(seen, statement);
    expect(seen.message).toBe(plain.message);
    expect(wrong).toEqual([]);
    expect(`${JSON.stringify(seen.rows)}${seen.copied}`).not.toMatch(RAW);
    expect(comparable(answer, statement)).toEqual(comparable(unmasked(plain, statement).answer, statement));
  });
});
