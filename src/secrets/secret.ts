import { inspect } from 'node:util';

/** A value that shows as its name wherever it might be printed: in text, in JSON, in logs. `reveal` is its only way out. */
export class Secret {
  readonly #name: string;
  readonly #value: string;

  /** `name` says where it came from, e.g. `env:SHOP_PASSWORD`. */
  constructor(name: string, value: string) {
    this.#name = name;
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `[secret ${this.#name}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  static {
    Object.defineProperty(Secret.prototype, inspect.custom, {
      value(this: Secret): string {
        return this.toString();
      },
    });
  }
}
