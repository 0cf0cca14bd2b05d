import { constantText } from './calls.ts';
import type { Place } from './expressions.ts';
import { bodyOf, listAt, namesOf, type Tree, textAt } from './tree.ts';

/**
 * `SELECT set_config(name, …) FROM pg_settings WHERE name = 'x'` sets x if there is such a setting: pg_dump does so
 * (CVE-2024-7348). Gives x when FROM is that relation alone and WHERE is that comparison alone.
 */
export function settingOf(select: Tree, { ledger }: Place): string | undefined {
  const [only, more] = listAt(select, 'fromClause');
  const range = bodyOf(only, 'RangeVar');
  const where = bodyOf(select['whereClause'], 'A_Expr');
  if (!range || more || !where || textAt(where, 'kind') !== 'AEXPR_OP') return undefined;
  const path = ledger.names.findRelation(range)?.resource.path.slice(2).join('.');
  if (path !== 'pg_catalog.pg_settings' || range['alias'] !== undefined) return undefined;
  const column = bodyOf(where['lexpr'], 'ColumnRef');
  const compared = namesOf(listAt(where, 'name')).join('.') === '=' && column;
  if (!compared || namesOf(listAt(column, 'fields')).join('.') !== 'name') return undefined;
  return constantText(where['rexpr']);
}
