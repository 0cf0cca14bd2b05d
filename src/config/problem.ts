/** Something wrong (or, as a warning, unwise) in a file an operator wrote. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** As people know it: relative to where they are. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** A sentence without its final stop. Never a value of something that could be a secret. */
  readonly message: string;
}

/** A place in the document: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** One entry of a list, and where it stands. */
export interface Entry<T> {
  readonly entry: T;
  readonly path: Path;
}

/** `sallyport.yaml:3:11 targets[0].port must be an integer` */
export function formatProblem(problem: Problem): string {
  const kind = problem.severity === 'warning' ? 'warning: ' : '';
  return `${problem.file}:${problem.line}:${problem.column} ${kind}${problem.message}`;
}

/** `targets[0].port` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

export function byPosition(a: Problem, b: Problem): number {
  return a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column || a.message.localeCompare(b.message);
}
