/** Keys of a SCRAM-SHA-256 password. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/**
 * What PostgreSQL stores of a password, and takes in its place in ALTER ROLE (`build_scram_secret`): the password itself
 * is in no statement, so in no log of the server either.
 */
export function verifierText({ salt, iterations, storedKey, serverKey }: ScramKeys): string {
  const [first, second, third] = [salt, storedKey, serverKey].map((bytes) => Buffer.from(bytes).toString('base64'));
  return `SCRAM-SHA-256$${iterations}:${first}$${second}:${third}`;
}
