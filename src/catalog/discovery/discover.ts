import type { CatalogSnapshot } from '../../core/catalog.ts';
import type { Clock } from '../../core/clock.ts';
import { asFault } from '../../core/fault.ts';
import type { CatalogConnection } from '../ports.ts';
import type { Discovery, DiscoveryRequest, Find, Proposal, Skipped } from './proposal.ts';
import { propose } from './propose.ts';
import { sample } from './sample.ts';
import { readTables, type Table, type TableColumn } from './tables.ts';
import { Tally } from './tally.ts';

/** Milliseconds for all tables: whoever asked waits for the answer. */
const ALL_WITHIN = 40_000;

export interface DiscoveryPorts {
  readonly connection: CatalogConnection;
  /** What is there, with the labels in force. */
  readonly catalog: CatalogSnapshot;
  readonly find: Find;
  readonly clock: Clock;
}

/** Looks through one database, table by table. Throws Fault CATALOG_UNREADABLE. */
export async function discover(request: DiscoveryRequest, ports: DiscoveryPorts): Promise<Discovery> {
  const { connection, catalog, clock } = ports;
  const { tables, skipped } = await readTables(connection, catalog, request);
  const end = clock.monotonic() + ALL_WITHIN;
  const proposals: Proposal[] = [];
  const left: Skipped[] = [...skipped];
  let columns = 0;
  let looked = 0;
  for (const table of tables) {
    const isLate = clock.monotonic() > end;
    const { found, why } = isLate ? { found: [], why: 'there was no time for it' } : await look(table, request, ports);
    if (why !== undefined) left.push({ relation: `${table.relation.schema}.${table.relation.name}`, why });
    if (isLate) continue;
    proposals.push(...found);
    columns += table.columns.length;
    looked += 1;
  }
  return { tables: looked, columns, proposals, skipped: left };
}

/** What cannot be sampled is told, and its names are weighed all the same. */
async function look(
  table: Table,
  request: DiscoveryRequest,
  { connection, find }: DiscoveryPorts,
): Promise<{ readonly found: readonly Proposal[]; readonly why: string | undefined }> {
  const tallies = new Map<TableColumn, Tally>();
  for (const column of table.columns) if (column.read !== undefined) tallies.set(column, new Tally(find));
  let why: string | undefined;
  try {
    await sample(connection, table, request.sample, (column, value) => {
      const tally = tallies.get(column);
      if (column.read === 'json') tally?.json(value);
      else tally?.text(value);
    });
  } catch (thrown) {
    why = reasonOf(thrown);
  }
  const found = table.columns.flatMap((column) => {
    const subject = { relation: table.relation, column: column.column, type: column.type };
    return propose({ ...subject, tally: tallies.get(column) });
  });
  return { found, why };
}

/** By the code alone: a message of the server may quote a value. */
function reasonOf(thrown: unknown): string {
  const { cause } = asFault(thrown, 'CATALOG_UNREADABLE');
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  switch (code) {
    case '55P03':
      return 'somebody has it locked';
    case '57014':
      return 'it took too long';
    case '42501':
      return 'the gateway’s role may not read it';
    default:
      return code === '' ? 'it could not be read' : `it could not be read (SQLSTATE ${code})`;
  }
}
