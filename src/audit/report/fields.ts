import type { Json } from '../../core/evidence.ts';

/** Events may be of an older or a newer release: a field that is not what it should be is not there. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

/** How often and between when. */
export class Span {
  #count = 0;
  #first = '';
  #last = '';

  /** Times in the form of events, which sorts as text. Chains of several writers may be read a little out of order. */
  add(at: string): void {
    this.#count += 1;
    if (this.#first === '' || at < this.#first) this.#first = at;
    if (at > this.#last) this.#last = at;
  }

  get told(): { readonly operations: number; readonly first: string; readonly last: string } {
    return { operations: this.#count, first: this.#first, last: this.#last };
  }
}

export function mostFirst<T extends { readonly operations: number }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => b.operations - a.operations);
}
