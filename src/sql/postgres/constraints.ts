import { spend } from './effort.ts';
import type { Ledger } from './ledger.ts';
import type { Column, Relation } from './relation.ts';

/**
 * What the server compares before it lets a write stand: whether it does tells about values the writer may not see.
 * Labelled columns of such a constraint are filtered by, in this table and where a foreign key looks.
 */
export function checked(
  relation: Relation,
  assigned: readonly Column[],
  verb: 'insert' | 'update',
  ledger: Ledger,
): void {
  spend(assigned.length);
  const written = new Set(assigned.filter((column) => column.relation === relation).map((column) => column.attribute));
  for (const { kind, columns, references } of relation.constraints) {
    if (!columns.some((attribute) => written.has(attribute))) continue;
    // What is inserted the writer knows; a row that is there may hold more than is written.
    if (kind === 'check' && verb === 'insert') continue;
    const grade = kind === 'check' || kind === 'exclusion' ? 'any' : 'equality';
    compared(relation, columns, grade, ledger);
    const other = references && ledger.names.relationByOid(references.relation);
    if (references && other) compared(other, references.columns, 'equality', ledger);
  }
  if (verb === 'update') moved(relation, [...written], ledger);
}

/** Rows that are deleted or whose keys change must not be referred to. */
export function moved(relation: Relation, attributes: readonly number[] | 'all', ledger: Ledger): void {
  for (const other of ledger.names.catalog.referencing(relation.oid)) {
    for (const { columns, references } of other.constraints) {
      const hit = attributes === 'all' || references?.columns.some((attribute) => attributes.includes(attribute));
      if (references?.relation === relation.oid && hit) compared(other, columns, 'equality', ledger);
    }
  }
}

function compared(relation: Relation, attributes: readonly number[], grade: 'equality' | 'any', ledger: Ledger): void {
  if (!relation.labelled) return;
  spend(relation.columns.length);
  for (const column of relation.columns) {
    if (column.labels.length === 0 || !attributes.includes(column.attribute)) continue;
    if (grade === 'equality') ledger.matches(column, { constants: 1, arrays: [] });
    else ledger.column(column, 'filter');
  }
}
