import { ByteReader } from './byte-reader.ts';

export interface Field {
  readonly name: string;
  /** OID and attribute number where the value comes straight from a column, else 0. */
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly modifier: number;
  readonly format: 0 | 1;
}

export function readRowDescription(bytes: Uint8Array, start: number, end: number): Field[] {
  const reader = new ByteReader(bytes, start, end);
  const fields = Array.from({ length: reader.uint16() }, (): Field => {
    const name = reader.cstring();
    const table = reader.uint32();
    const attribute = reader.int16();
    const type = reader.uint32();
    reader.int16(); // the type's size
    const modifier = reader.int32();
    const format = reader.uint16() === 1 ? 1 : 0;
    return { name, table, attribute, type, modifier, format };
  });
  reader.done();
  return fields;
}
