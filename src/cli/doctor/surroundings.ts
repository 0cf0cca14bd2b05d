import { createServer } from 'node:net';
import type { Address, Config, ProviderConfig } from '../../config/config.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

/** Milliseconds. */
const PATIENCE = 5_000;
/** Of clocks, in seconds: tokens are believed this long after they expired, and not longer. */
const SKEW = 30;

/** Whether the ports are there to be had; asked only where no gateway runs. */
export async function ports({ listen }: Config): Promise<Finding> {
  const taken: string[] = [];
  for (const [name, address] of Object.entries(listen)) {
    if (!(await isFree(address))) taken.push(`listen.${name} (${address.host}:${address.port})`);
  }
  const [first] = taken;
  if (first === undefined) return good('ports', 'all are free');
  return bad(
    'ports',
    `${taken.join(', ')} cannot be listened on: another program has it, or the address is not this machine's`,
  );
}

function isFree({ host, port }: Address): Promise<boolean> {
  if (port === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}

/** Whether an identity provider can be asked for its keys, and agrees about the time. */
export async function provider({ name, issuer }: ProviderConfig): Promise<Finding> {
  const about = `provider ${name}`;
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) return bad(about, `${url} answers ${response.status}`, 'check "issuer"');
    const { issuer: said, jwks_uri: keys } = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (said !== issuer)
      return bad(about, `${url} speaks for ${JSON.stringify(said)}`, `"issuer" must be exactly that`);
    if (typeof keys !== 'string') return bad(about, `${url} names no keys`);
    const answer = await fetch(keys, { signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) return bad(about, `its keys at ${keys} answer ${answer.status}`);
    const there = Date.parse(answer.headers.get('date') ?? '');
    const apart = Math.round(Math.abs(Date.now() - there) / 1000);
    if (apart > SKEW)
      return doubtful(
        about,
        `its clock and this one are ${apart} s apart: tokens will be refused`,
        'synchronise the clocks',
      );
    return good(about, 'reachable, with its keys');
  } catch (thrown) {
    return bad(about, `${url} cannot be reached: ${reason(thrown)}`, 'nobody of this provider can log in until it can');
  }
}

function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  return cause instanceof Error && cause.message !== '' ? cause.message : thrown.message;
}
