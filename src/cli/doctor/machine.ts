import { X509Certificate } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

const MEBIBYTE = 1024 * 1024;
/** Free bytes of the data folder's disk below which the gateway soon stops clearing, and below which somebody should know. */
const FREE = { bad: 100 * MEBIBYTE, doubtful: 2048 * MEBIBYTE };
/** Milliseconds a small write may take to reach the disk. */
const SLOW_SYNC = 50;
/** Days. */
const EXPIRES_SOON = 21;
const DAY = 86_400_000;

/** Nobody but the account of the gateway may read its keys, or look into its data. */
export function permissions({ data }: Config): Finding {
  const about = 'files';
  if (!existsSync(data)) return doubtful(about, `${data} does not exist yet`, 'sallyport serve makes it');
  const keys = join(data, 'keys');
  const secret = existsSync(keys) ? readdirSync(keys).map((name) => join(keys, name)) : [];
  const open = [data, keys, ...secret].filter((path) => {
    return existsSync(path) && !path.endsWith('.pub') && (statSync(path).mode & 0o077) !== 0;
  });
  const [first] = open;
  if (first === undefined) return good(about, `${data} and its keys are readable by their owner alone`);
  return bad(
    about,
    `${open.length === 1 ? first : `${first} and ${open.length - 1} more`} can be read by others`,
    `chmod go= ${open.join(' ')}`,
  );
}

/** Room on the disk, and how long it takes to be sure of a write. */
export function disk({ data }: Config): Finding {
  const about = 'disk';
  if (!existsSync(data)) return doubtful(about, `${data} does not exist yet`);
  const { bavail, bsize } = statfsSync(data);
  const free = bavail * bsize;
  const room = `${Math.floor(free / MEBIBYTE).toLocaleString('en')} MiB are free`;
  if (free < FREE.bad)
    return bad(
      about,
      `${room}: when evidence cannot be written nothing is cleared`,
      `make room on the disk of ${data}`,
    );
  let slow: number;
  try {
    slow = syncTime(data);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return bad(about, `nothing can be written in ${data}: ${why}`);
  }
  const speed = `a write reaches the disk in ${slow.toFixed(1)} ms`;
  if (slow > SLOW_SYNC)
    return doubtful(about, `${room}; ${speed}, which is slow for evidence`, 'put "data" on a local disk');
  if (free < FREE.doubtful) return doubtful(about, `${room}; ${speed}`);
  return good(about, `${room}; ${speed}`);
}

function syncTime(folder: string): number {
  const path = join(folder, `.doctor-${process.pid}`);
  const file = openSync(path, 'wx', 0o600);
  try {
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now();
      writeSync(file, Buffer.alloc(4096));
      fdatasyncSync(file);
      return performance.now() - began;
    });
    return times.toSorted((a, b) => a - b)[2] ?? 0;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

/** How long the certificate that clients are shown is good for. */
export function certificate(config: Config, now: number): Finding {
  const about = 'certificate';
  const own = config.tls === undefined;
  const given = config.tls?.certificate;
  if (given !== undefined && given.scheme !== 'file')
    return good(about, `comes from ${given.scheme}:${given.name}, which is not opened here`);
  const path = given?.name ?? join(config.data, 'tls', 'cert.pem');
  if (!existsSync(path)) {
    return own
      ? doubtful(about, 'none was made yet', 'sallyport serve makes one')
      : bad(about, `${path} does not exist`);
  }
  let until: number;
  try {
    until = Date.parse(new X509Certificate(readFileSync(path)).validTo);
  } catch {
    return bad(about, `${path} is no certificate`);
  }
  const days = Math.floor((until - now) / DAY);
  if (days < 0)
    return bad(
      about,
      `${path} expired ${-days} days ago`,
      own ? 'restart the gateway: it makes a new one' : 'renew it',
    );
  if (days < EXPIRES_SOON)
    return doubtful(
      about,
      `${path} expires in ${days} days`,
      own ? 'restart the gateway: it makes a new one' : 'renew it',
    );
  return good(about, `good for ${days} days`);
}
