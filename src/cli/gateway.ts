import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Loaded } from '../config/load.ts';
import { localSocketPath } from '../control/socket-path.ts';
import { GatewayClient } from './client.ts';
import { storedLogin } from './credentials.ts';
import { Failure } from './failure.ts';

/** Options that every command which talks to a gateway has. */
export interface GatewayOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly config?: string;
}

/** Where the configuration file is, unless an option says otherwise. */
export function configPath(options: { readonly config?: string }): string {
  return resolve(options.config ?? environment('SALLYPORT_CONFIG') ?? 'sallyport.yaml');
}

/**
 * Finds the gateway: the one named by `--url`, else the one of this folder's `sallyport.yaml` over its local socket,
 * else `SALLYPORT_URL`, else the one logged in to last. A pass from `SALLYPORT_PASS` is always
 * sent: an agent that was given one must not be the administrator because it shares an account with one. A stored one
 * is not sent over the local socket, whose owner is the administrator.
 */
export async function findGateway(options: GatewayOptions): Promise<GatewayClient> {
  const local = options.url === undefined ? await localGateway(options) : undefined;
  if (local) return local;
  const stored = storedLogin(options.url ?? environment('SALLYPORT_URL'));
  const url = options.url ?? environment('SALLYPORT_URL') ?? stored?.url;
  if (url === undefined) {
    throw new Failure('no gateway is known here', {
      hint: 'Start one with "sallyport serve" in this folder, or name one: --url https://… or SALLYPORT_URL.',
    });
  }
  const file = options.ca ?? environment('SALLYPORT_CA');
  const ca = file === undefined ? (stored?.ca ?? (await ownCa(options, url))) : readCa(file);
  return new GatewayClient({
    kind: 'https',
    url: httpsUrl(url),
    ca,
    pass: environment('SALLYPORT_PASS') ?? stored?.pass,
  });
}

/** A variable that is set and not empty: an empty one is one that a script failed to fill. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Reads a configuration; what reads it takes a while to load, and most commands never need it. */
export async function readConfig(path: string): Promise<Loaded> {
  const { loadConfig } = await import('../config/load.ts');
  return loadConfig(path);
}

async function localGateway(options: GatewayOptions): Promise<GatewayClient | undefined> {
  const path = configPath(options);
  if (!existsSync(path)) return undefined;
  const loaded = await readConfig(path);
  if (!loaded.ok) {
    throw new Failure(`${path} has problems`, { hint: 'See them with "sallyport check".' });
  }
  const socket = localSocketPath(loaded.config.data);
  if (!existsSync(socket)) return undefined;
  const { url, data } = loaded.config;
  return new GatewayClient({ kind: 'local', socket, url, ca: generatedCa(data), pass: environment('SALLYPORT_PASS') });
}

/** The certificate authority that a gateway on this machine made for itself. */
async function ownCa(options: GatewayOptions, url: string): Promise<string | undefined> {
  const path = configPath(options);
  if (!existsSync(path)) return undefined;
  const loaded = await readConfig(path);
  return loaded.ok && loaded.config.url === httpsUrl(url) ? generatedCa(loaded.config.data) : undefined;
}

function generatedCa(data: string): string | undefined {
  const path = join(data, 'tls', 'ca.pem');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Failure(`${path} cannot be read`);
  }
}

function httpsUrl(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === 'https:') return new URL(text).origin;
  throw new Failure(`${text} is not an https:// address`, { exit: 2 });
}
