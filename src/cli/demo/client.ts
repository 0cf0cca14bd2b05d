/** A client that knows nothing of Sallyport. */
export interface SqlClient {
  /** For people: which one, and its version. */
  readonly name: string;
  /** What one would type to start it, without the password; `brief` leaves out what is the same for every pass. */
  commandLine(pass: string, brief?: boolean): string;
  /** Logs in, or gives what the client printed when it could not. */
  open(pass: string): Promise<SqlSession | string>;
  /** Ends sessions that are still open. */
  close(): void;
}

/** One connection that stays open. */
export interface SqlSession {
  /** Everything that the client printed about a statement. */
  ask(statement: string): Promise<string>;
  /** Sends a statement and returns without waiting; `interrupted` then tells how it ended. */
  begin(statement: string): Running;
  /** Sends a statement that will wait: what the client prints at once, and what it has printed in the end. */
  hold(statement: string): Promise<Waiting>;
  close(): Promise<void>;
}

export interface Waiting {
  readonly told: string;
  readonly done: Promise<string>;
}

/** A statement on its way. */
export interface Running {
  readonly interrupted: Promise<{ readonly output: string; readonly at: number }>;
}

/** Where clients find the gateway. */
export interface Address {
  readonly port: number;
  /** PEM file. */
  readonly ca: string;
}

export const DATABASE = 'shop';
