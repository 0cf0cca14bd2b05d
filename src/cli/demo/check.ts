import { confirmed, contradicted } from './voice.ts';

/** What the story expected and did not find. Names the step, so that an unattended run says where it stopped. */
export class Untrue extends Error {
  readonly seen: string;

  constructor(expected: string, seen: string) {
    super(expected);
    this.name = 'Untrue';
    this.seen = seen;
  }
}

/** Says what was found to be so, or ends the story. `seen` is what a program really printed. */
export function check(expected: string, seen: string, ...signs: readonly (RegExp | Not)[]): void {
  const so = signs.every((sign) => (sign instanceof RegExp ? sign.test(seen) : !sign.not.test(seen)));
  if (!so) {
    contradicted(expected);
    throw new Untrue(expected, seen);
  }
  confirmed(expected);
}

/** A sign that must not be there. */
export interface Not {
  readonly not: RegExp;
}

export function no(sign: RegExp): Not {
  return { not: sign };
}
