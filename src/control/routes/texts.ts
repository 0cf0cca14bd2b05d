import { type TString, Type } from 'typebox';

/** What people write, to be kept: the store holds no NUL. */
export function textUpTo(length: number, least = 0): TString {
  return Type.String({ minLength: least, maxLength: length, pattern: '^[^\\u0000]*$' });
}
