import { constantMask, type Masker } from './masker.ts';
import { redacted, spell } from './spell.ts';
import { kindOf, type ResultField } from './types.ts';

const DAY_MS = 86_400_000;
const DAY_US = 86_400_000_000;
const POSTGRES_EPOCH = Date.UTC(2000, 0, 1);

/** The first of January of the same year. What has no year in 1 to 9999 (infinity, BC) is redacted. */
export function dateMask(field: ResultField, otherwise: Masker): Masker | undefined {
  const kind = kindOf(field.type);
  if (kind !== 'date' && kind !== 'timestamp' && kind !== 'timestamptz') return undefined;
  const room = Math.max(redacted(field)?.length ?? 0, spellYear(field, 2000)?.length ?? 0);
  return {
    most: () => room,
    mask: (from, start, end, to, at) => {
      const year = field.format === 0 ? yearOfText(from, start, end) : yearOfBinary(from, start, end);
      const bytes = year === undefined ? undefined : spellYear(field, year);
      return (bytes ? constantMask(bytes) : otherwise).mask(from, start, end, to, at);
    },
  };
}

function spellYear(field: ResultField, year: number): Uint8Array | undefined {
  const day = `${String(year).padStart(4, '0')}-01-01`;
  const kind = kindOf(field.type);
  if (kind === 'date') return spell(field, day);
  return spell(field, `${day} 00:00:00${kind === 'timestamptz' ? '+00' : ''}`);
}

/** Only from ISO dates (`1997-12-17…`): other date styles may put the day where the year is looked for. */
function yearOfText(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < 10 || end - start > 40) return undefined;
  const text = String.fromCharCode(...bytes.subarray(start, end));
  const year = /^(\d{4})-\d\d-\d\d(?: [\d:.+-]+)?$/.exec(text)?.[1];
  return year === undefined || year === '0000' ? undefined : Number(year);
}

function yearOfBinary(bytes: Uint8Array, start: number, end: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  let days: number;
  if (view.byteLength === 4) days = view.getInt32(0);
  else if (view.byteLength === 8) days = Math.floor(Number(view.getBigInt64(0)) / DAY_US);
  else return undefined;
  const year = new Date(POSTGRES_EPOCH + days * DAY_MS).getUTCFullYear();
  return year >= 1 && year <= 9999 ? year : undefined;
}
