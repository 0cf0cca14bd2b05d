import type { SqlScope, TemporaryRelation } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import { writePlainBind } from '../../wire/postgres/bind.ts';
import { ByteReader } from '../../wire/postgres/byte-reader.ts';
import { writeClose } from '../../wire/postgres/describe.ts';
import { writeExecute } from '../../wire/postgres/execute.ts';
import { writeParse } from '../../wire/postgres/parse.ts';
import { decodeUtf8 } from '../../wire/postgres/text.ts';

const NAME = 'sallyport_probe';

/** Every name is qualified: the answer must not depend on the search path it asks for. */
const TEXT = `
select pg_catalog.array_to_json(pg_catalog.current_schemas(true))::pg_catalog.text, current_user::pg_catalog.text,
  (select pg_catalog.json_agg(pg_catalog.json_build_object('oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'columns',
     (select pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'attribute', a.attnum))
        from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped)))
   from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
   where c.relnamespace operator(pg_catalog.=) pg_catalog.pg_my_temp_schema() and c.relkind operator(pg_catalog.<>) 'i')::pg_catalog.text`;

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
export function readProbe(rows: readonly Uint8Array[]): Pick<SqlScope, 'searchPath' | 'role' | 'temporary'> {
  const [row] = rows;
  if (row === undefined || rows.length !== 1)
    throw new Fault('TARGET_PROTOCOL', 'the target did not say what names mean');
  const reader = new ByteReader(row);
  const cells = Array.from({ length: reader.uint16() }, () => {
    const length = reader.int32();
    return length === -1 ? undefined : decodeUtf8(reader.bytes(length));
  });
  const [path, role, temporary] = cells;
  if (path === undefined || role === undefined)
    throw new Fault('TARGET_PROTOCOL', 'the target did not say what names mean');
  return {
    searchPath: JSON.parse(path) as string[],
    role,
    temporary:
      temporary === undefined
        ? []
        : (JSON.parse(temporary) as (TemporaryRelation & { columns: TemporaryRelation['columns'] | null })[]).map(
            (relation) => ({ ...relation, columns: relation.columns ?? [] }),
          ),
  };
}
