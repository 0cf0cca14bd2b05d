import type { OwnRelation } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import { writePlainBind } from '../../wire/postgres/bind.ts';
import { ByteReader } from '../../wire/postgres/byte-reader.ts';
import { writeClose } from '../../wire/postgres/describe.ts';
import { writeExecute } from '../../wire/postgres/execute.ts';
import { writeParse } from '../../wire/postgres/parse.ts';
import { decodeUtf8 } from '../../wire/postgres/text.ts';
import type { Found } from './name-scope.ts';

const NAME = 'sallyport_probe';

const RELATION = `pg_catalog.json_build_object('oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'columns',
     (select pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'attribute', a.attnum))
        from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped))`;
const RELATIONS = 'pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace';
/** A row no older than the open transaction: made by it, or committed meanwhile and so seen by all. */
const OWN = (xmin: string) => `pg_catalog.age(${xmin}) operator(pg_catalog.<=) pg_catalog.age(x.id)`;

/**
 * Every name is qualified: the answer must not depend on the search path it asks for. The last column is NULL, at no
 * cost, unless the open transaction has written something.
 */
const TEXT = `
select pg_catalog.array_to_json(pg_catalog.current_schemas(true))::pg_catalog.text, current_user::pg_catalog.text,
  (select pg_catalog.json_agg(${RELATION}) from ${RELATIONS}
    where c.relnamespace operator(pg_catalog.=) pg_catalog.pg_my_temp_schema() and c.relkind operator(pg_catalog.<>) 'i')::pg_catalog.text,
  (select pg_catalog.json_agg(${RELATION}) from ${RELATIONS},
      (select pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid as id offset 0) x
    where x.id is not null and c.relkind in ('r', 'v', 'm', 'p', 'f', 'S') and c.relnamespace operator(pg_catalog.<>) pg_catalog.pg_my_temp_schema()
      and (${OWN('c.xmin')} or exists (select from pg_catalog.pg_attribute b where b.attrelid operator(pg_catalog.=) c.oid and ${OWN('b.xmin')})))::pg_catalog.text`;

/** Asks on the client's own connection what names mean. Named, so that the client's unnamed statement stays. */
export const PROBE: Uint8Array = Buffer.concat([
  writeParse({ statement: NAME, text: TEXT, types: [] }),
  writePlainBind(NAME, NAME),
  writeExecute({ portal: NAME, rows: 0 }),
  writeClose({ kind: 'portal', name: NAME }),
  writeClose({ kind: 'statement', name: NAME }),
]);

/** CloseComplete messages that end the probe's answer. */
export const PROBE_CLOSES = 2;

/** Reads the one row the probe gives. Throws Fault TARGET_PROTOCOL. */
export function readProbe(rows: readonly Uint8Array[]): Found {
  const [row] = rows;
  if (row === undefined || rows.length !== 1) throw silent();
  const reader = new ByteReader(row);
  const cells = Array.from({ length: reader.uint16() }, () => {
    const length = reader.int32();
    return length === -1 ? undefined : decodeUtf8(reader.bytes(length));
  });
  const [path, role, temporary, uncommitted] = cells;
  if (path === undefined || role === undefined) throw silent();
  return {
    searchPath: JSON.parse(path),
    role,
    temporary: relationsOf(temporary),
    uncommitted: relationsOf(uncommitted),
  };
}

/** A relation without columns has null for them. */
function relationsOf(json: string | undefined): OwnRelation[] {
  const relations: (Omit<OwnRelation, 'columns'> & { columns: OwnRelation['columns'] | null })[] =
    json === undefined ? [] : JSON.parse(json);
  return relations.map((relation) => ({ ...relation, columns: relation.columns ?? [] }));
}

function silent(): Fault {
  return new Fault('TARGET_PROTOCOL', 'the target did not say what names mean');
}
