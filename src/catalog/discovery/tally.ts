import type { Find } from './proposal.ts';

/** How many values held what a detector looks for, and in how many it was most of the value. */
export interface Matched {
  cells: number;
  whole: number;
}

/** What lies at one place: a column, or one path into its json. */
export interface Place {
  readonly path: readonly string[];
  cells: number;
  readonly found: Map<string, Matched>;
}

/** More places than that are no structure but data: those beyond are counted with the whole value. */
const MOST_PLACES = 500;
const DEEPEST = 16;
/** Of a value, when it is what was found: prefixes of keys, brackets and the like around it are left. */
const MOSTLY = 0.7;
/** What names of keys look like; others may be values themselves. */
const KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;

/** Counts what is in the values of one column, and keeps none of them. */
export class Tally {
  /** Values that are not NULL. */
  cells: number = 0;
  readonly whole: Place = { path: [], cells: 0, found: new Map() };
  readonly places: Map<string, Place> = new Map();
  readonly #find: Find;

  constructor(find: Find) {
    this.#find = find;
  }

  text(value: string): void {
    this.cells += 1;
    this.whole.cells += 1;
    this.#count(this.whole, this.#search(value));
  }

  /** A json text: every leaf counts at its path, where an array stands for each of its elements. */
  json(value: string): void {
    let document: unknown;
    try {
      document = JSON.parse(value);
    } catch {
      return this.text(value);
    }
    this.cells += 1;
    const leaves = new Map<string, Leaf>();
    this.#walk(document, [], leaves);
    for (const [key, { path, lengths, found }] of leaves) {
      const place = this.#place(key, path);
      place.cells += 1;
      this.#count(place, { length: lengths, found });
    }
  }

  #walk(value: unknown, path: readonly string[], leaves: Map<string, Leaf>): void {
    if (Array.isArray(value)) {
      for (const element of value) this.#walk(element, path, leaves);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const name = this.#search(key);
        const isName = KEY.test(key) && name.found.size === 0;
        // What is no name is a value: counted for the document as a whole.
        if (!isName) this.#leaf([], name, leaves);
        this.#walk(inner, isName && path.length < DEEPEST ? [...path, key] : path, leaves);
      }
    } else if (typeof value === 'string' || typeof value === 'number') {
      this.#leaf(path, this.#search(String(value)), leaves);
    }
  }

  #leaf(path: readonly string[], searched: Searched, leaves: Map<string, Leaf>): void {
    const key = JSON.stringify(path);
    const leaf = leaves.get(key) ?? { path, lengths: 0, found: new Map() };
    leaves.set(key, leaf);
    leaf.lengths += searched.length;
    for (const [detector, length] of searched.found) {
      leaf.found.set(detector, (leaf.found.get(detector) ?? 0) + length);
    }
  }

  #place(key: string, path: readonly string[]): Place {
    const known = this.places.get(key);
    if (known !== undefined) return known;
    if (path.length === 0 || this.places.size >= MOST_PLACES) return this.whole;
    const place: Place = { path, cells: 0, found: new Map() };
    this.places.set(key, place);
    return place;
  }

  #search(text: string): Searched {
    const found = new Map<string, number>();
    this.#find(text, (detector, length) => found.set(detector, (found.get(detector) ?? 0) + length));
    return { length: text.length, found };
  }

  #count(place: Place, { length, found }: Searched): void {
    for (const [detector, covered] of found) {
      const matched = place.found.get(detector) ?? { cells: 0, whole: 0 };
      place.found.set(detector, matched);
      matched.cells += 1;
      if (covered >= MOSTLY * length) matched.whole += 1;
    }
  }
}

interface Searched {
  readonly length: number;
  readonly found: ReadonlyMap<string, number>;
}

interface Leaf {
  readonly path: readonly string[];
  lengths: number;
  readonly found: Map<string, number>;
}
