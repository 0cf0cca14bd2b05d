import type { Document } from './document.ts';
import { byPosition, formatPath, type Path, type Problem } from './problem.ts';

/** Collects what is wrong with one file, each with its place. */
export class Notes {
  readonly #file: string;
  readonly #document: Document;
  readonly #problems: Problem[] = [];

  constructor(file: string, document: Document) {
    this.#file = file;
    this.#document = document;
  }

  /** `message` follows the path: "must be …", "is not …". */
  error(path: Path, message: string): undefined {
    this.say('error', this.#document.at(path), `${formatPath(path)} ${message}`);
  }

  warn(path: Path, message: string): void {
    this.say('warning', this.#document.at(path), `${formatPath(path)} ${message}`);
  }

  say(severity: Problem['severity'], { line, column }: { line: number; column: number }, message: string): void {
    this.#problems.push({ severity, file: this.#file, line, column, message });
  }

  /** Reports every name that stands twice, at its second place. */
  unique(items: readonly { readonly name: string; readonly path: Path }[]): void {
    const first = new Map<string, Path>();
    for (const { name, path } of items) {
      const earlier = first.get(name);
      if (earlier) this.error(path, `"${name}" is already the name of ${formatPath(earlier.slice(0, -1))}`);
      else first.set(name, path);
    }
  }

  problems(): readonly Problem[] {
    return this.#problems.toSorted(byPosition);
  }
}
