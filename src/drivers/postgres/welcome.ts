import {
  type CancelKey,
  writeBackendKeyData,
  writeParameterStatus,
  writeReadyForQuery,
} from '../../wire/postgres/backend.ts';
import type { PostgresGreeting } from './greet.ts';

/**
 * What each target reported at its last login, by target, database and role. A client is welcomed with it before its
 * own upstream connection exists; whatever turns out different is told once that is dialled.
 */
export class Welcomes {
  readonly #known = new Map<string, ReadonlyMap<string, string>>();
  readonly #most = 1000;

  get(key: string): ReadonlyMap<string, string> | undefined {
    return this.#known.get(key);
  }

  set(key: string, parameters: ReadonlyMap<string, string>): void {
    if (this.#known.size >= this.#most) this.#known.clear();
    this.#known.set(key, parameters);
  }
}

/** The parameters as this client should see them: its own settings and its own application name. */
export function asTold(
  parameters: ReadonlyMap<string, string>,
  greeting: PostgresGreeting,
  dialled: boolean,
): Map<string, string> {
  const told = new Map(parameters);
  told.set('application_name', greeting.client ?? '');
  if (dialled) return told;
  const wanted = new Map([...greeting.settings].map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of parameters.keys()) {
    const value = wanted.get(name.toLowerCase());
    if (value !== undefined && name !== 'client_encoding') told.set(name, value);
  }
  return told;
}

/** From authentication to the first ReadyForQuery. */
export function writeWelcome(parameters: ReadonlyMap<string, string>, key: CancelKey): Uint8Array {
  return Buffer.concat([
    ...[...parameters].map(([name, value]) => writeParameterStatus(name, value)),
    writeBackendKeyData(key),
    writeReadyForQuery('I'),
  ]);
}
