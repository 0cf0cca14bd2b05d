import type { Static, TSchema } from 'typebox';

/**
 * A schema whose valid values are known to the compiler to be `T`s. Curried, because TypeScript infers all type
 * arguments or none.
 */
export function schemaFor<T>(): <S extends TSchema>(schema: Static<S> extends T ? S : never) => TSchema {
  return (schema) => schema;
}

/** Objects refuse what they do not know. */
export const CLOSED: { readonly additionalProperties: false } = { additionalProperties: false };

/** `says` replaces the library's words in the message: "must be …". A type, not an interface: typebox wants its index signature. */
export type Worded = { readonly says: string; readonly pattern: string; readonly maxLength: number };

export const NAME: Worded = {
  pattern: '^[a-z][a-z0-9-]*$',
  maxLength: 63,
  says: 'a lower-case word of letters, digits and dashes',
};

/** Free text that ends up in logs and tables: one line, not empty, not long. */
export const LINE: Worded = {
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  maxLength: 512,
  says: 'one line of text, not empty',
};
