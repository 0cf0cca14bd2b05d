import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from './failure.ts';
import { object, text } from './json.ts';

/** A login that was kept: to which gateway, trusting whom, with which pass. */
export interface StoredLogin {
  readonly url: string;
  /** PEM of the authority that signed the gateway's certificate; undefined: the system's. */
  readonly ca: string | undefined;
  readonly pass: string;
  readonly name: string;
  /** RFC 3339. */
  readonly expires: string;
}

interface Stored {
  readonly latest: string | undefined;
  readonly logins: readonly StoredLogin[];
}

export function configFolder(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'sallyport');
}

const file = (): string => join(configFolder(), 'credentials.json');

/** The login for a gateway, or the latest one. */
export function storedLogin(url?: string): StoredLogin | undefined {
  const { latest, logins } = read();
  const wanted = url ?? latest;
  return logins.find((login) => login.url === wanted);
}

export function storeLogin(login: StoredLogin): void {
  const others = read().logins.filter(({ url }) => url !== login.url);
  write({ latest: login.url, logins: [...others, login] });
}

export function forgetLogin(url: string): void {
  const logins = read().logins.filter((login) => login.url !== url);
  write({ latest: logins.at(-1)?.url, logins });
}

function read(): Stored {
  let source: string;
  try {
    source = readFileSync(file(), 'utf8');
  } catch {
    return { latest: undefined, logins: [] };
  }
  try {
    const stored = object(JSON.parse(source));
    const logins = (stored['logins'] as unknown[]).map(object).map((login) => ({
      url: text(login['url']),
      ca: text(login['ca']) || undefined,
      pass: text(login['pass']),
      name: text(login['name']),
      expires: text(login['expires']),
    }));
    return { latest: text(stored['latest']) || undefined, logins };
  } catch {
    throw new Failure(`${file()} is damaged`, { hint: 'Remove it and log in again.' });
  }
}

/** Never readable by others, not for a moment: written beside, then moved over. */
function write(stored: Stored): void {
  mkdirSync(configFolder(), { recursive: true, mode: 0o700 });
  if (stored.logins.length === 0) return rmSync(file(), { force: true });
  const beside = `${file()}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify({ version: 1, ...stored }, null, 2)}\n`, { mode: 0o600 });
  chmodSync(beside, 0o600);
  renameSync(beside, file());
}
