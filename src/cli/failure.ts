/** What ends a command: a sentence for people and what to do about it. Never shown with a stack. */
export class Failure extends Error {
  readonly hint: string | undefined;
  /** 1: it did not work; 2: it was asked wrongly. */
  readonly exit: number;

  constructor(message: string, options: { hint?: string; exit?: number } = {}) {
    super(message);
    this.name = 'Failure';
    this.hint = options.hint;
    this.exit = options.exit ?? 1;
  }
}
