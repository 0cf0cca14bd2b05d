import { isIP } from 'node:net';
import type { Address } from './config.ts';

const HOST =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

/** Reads `host:port`, `[::1]:port`, or `host` alone where there is a default port; undefined for anything else. */
export function parseAddress(text: string, defaultPort?: number): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const [, v6, name, digits] = match;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port === undefined || port > 65_535) return undefined;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port } : undefined;
  if (name === undefined) return undefined;
  // An all-digit last part must be an IPv4 address: `10.1` would be taken for one by some resolvers.
  if (/(^|\.)\d+\.?$/.test(name) && isIP(name) !== 4) return undefined;
  return HOST.test(name) ? { host: name, port } : undefined;
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for names and addresses that cannot leave this machine. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/** `https://host[:port]` and nothing after it, or plain http on loopback. Undefined for anything else. */
export function parseOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const bare = url.username + url.password + url.search + url.hash === '' && url.pathname === '/';
  return bare && isProtected(url) ? url.origin : undefined;
}

/** Whether what is fetched from there can be believed: https, or http that stays on this machine. */
export function isProtected(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, '')));
}
