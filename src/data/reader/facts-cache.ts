import type { SqlFacts } from '../../core/facts.ts';

/** Texts of one scope under one catalog. */
const MOST_TEXTS = 5_000;
const MOST_CHARACTERS = 8_000_000;
const MOST_SCOPES = 200;
/** Texts kept because they came with numbers that may come again. */
const MOST_LATELY = 250;

/** Facts by scope and exact text. What was used longest ago goes first; a scope of an old epoch goes unused and so goes. */
export class FactsCache {
  readonly #scopes = new Map<string, Texts>();

  scope(key: string): Texts {
    const known = this.#scopes.get(key);
    if (known !== undefined) {
      this.#scopes.delete(key);
      this.#scopes.set(key, known);
      return known;
    }
    const [oldest] = this.#scopes.keys();
    if (this.#scopes.size >= MOST_SCOPES && oldest !== undefined) this.#scopes.delete(oldest);
    const fresh = new Texts();
    this.#scopes.set(key, fresh);
    return fresh;
  }
}

/** Texts of one scope. Keys are exact texts, and templates, which no text can equal. */
export class Texts {
  /** Recently used, and used before that: a text moves up when it is asked for again. Cheaper than an order of all. */
  #young = new Map<string, SqlFacts>();
  #old = new Map<string, SqlFacts>();
  /** Found by their template: making that costs more than finding one of these. Forgotten all at once. */
  #lately = new Map<string, SqlFacts>();
  #characters = 0;

  get(text: string): SqlFacts | undefined {
    const found = this.#young.get(text) ?? this.#lately.get(text);
    if (found !== undefined) return found;
    const aged = this.#old.get(text);
    if (aged !== undefined) this.set(text, aged);
    return aged;
  }

  /** The facts of a text, by its template. */
  like(template: string, text: string): SqlFacts | undefined {
    const facts = this.get(template);
    if (facts === undefined) return undefined;
    if (this.#lately.size >= MOST_LATELY) this.#lately = new Map();
    this.#lately.set(text, facts);
    return facts;
  }

  set(text: string, facts: SqlFacts): void {
    if (text.length > MOST_CHARACTERS / 8) return;
    if (this.#young.size >= MOST_TEXTS / 2 || this.#characters > MOST_CHARACTERS / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(text, facts);
    this.#characters += text.length;
  }
}
