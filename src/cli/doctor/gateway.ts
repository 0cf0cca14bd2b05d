import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { asFault } from '../../core/fault.ts';
import type { GatewayClient } from '../client.ts';
import { list, object, text } from '../json.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

/** More evidence than this takes a while to verify. */
const MOST_EVIDENCE = 256 * 1024 * 1024;

/** What a gateway whose local socket is there says of itself. */
export async function readiness({ listen }: Config, gateway: GatewayClient): Promise<Finding> {
  const { host, port } = listen.health;
  if (port === 0) return answering(gateway);
  let answer: { status?: unknown; checks?: unknown };
  try {
    const response = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
    answer = object(await response.json());
  } catch {
    return bad(
      'gateway',
      `its socket is there, but ${host}:${port} does not answer`,
      'it is starting, or has crashed: sallyport serve',
    );
  }
  const failing = list(answer.checks)
    .map(object)
    .filter((check) => check['ok'] !== true);
  if (answer.status === 'ready') return good('gateway', 'running, and ready');
  const what = failing.map((check) => `${text(check['name'])} ${text(check['detail'])}`.trim()).join(', ');
  return bad('gateway', `running, and not ready: ${what}`, 'its log says more');
}

/** Its health port was left to the system, so it is asked over its socket whether it is there at all. */
async function answering(gateway: GatewayClient): Promise<Finding> {
  try {
    await gateway.get('/v1/targets');
    return good('gateway', 'running; its health port was left to the system, so it is not asked there');
  } catch (thrown) {
    return bad('gateway', thrown instanceof Error ? thrown.message : String(thrown), 'sallyport serve');
  }
}

/** Lets the running gateway log in to a target. */
export async function target(gateway: GatewayClient, name: string): Promise<Finding> {
  const about = `target ${name}`;
  try {
    const answer = object(await gateway.post(`/v1/targets/${encodeURIComponent(name)}/test`, {}));
    const message = text(answer['message']);
    if (answer['ok'] !== true) return bad(about, message, `sallyport targets test ${name}`);
    // What is wrong with a role that works is told behind what the server says of itself.
    const [first = '', ...alarms] = message.split('; ');
    return alarms.length === 0
      ? good(about, first)
      : doubtful(about, alarms.join('; '), `sallyport targets test ${name}`);
  } catch (thrown) {
    return bad(about, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Whether what is recorded verifies, where that can be told soon. */
export async function evidence({ data }: Config): Promise<Finding> {
  const about = 'evidence';
  const folder = join(data, 'evidence');
  const key = join(data, 'keys', 'evidence.pub');
  if (!existsSync(folder) || !existsSync(key)) return doubtful(about, 'there is none yet');
  const size = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  if (size > MOST_EVIDENCE) return doubtful(about, 'there is too much to verify in passing', 'sallyport audit verify');
  const { verifyEvidence } = await import('../../audit/verify.ts');
  try {
    const { ok, chains, problems } = await verifyEvidence(folder, { publicKey: readFileSync(key, 'utf8') });
    const records = chains.reduce((sum, chain) => sum + chain.records, 0);
    if (ok) return good(about, `${records.toLocaleString('en')} records of ${chains.length} writers verify`);
    return bad(about, `${problems[0]?.file ?? ''}: ${problems[0]?.what ?? ''}`, 'sallyport audit verify');
  } catch (thrown) {
    return bad(about, asFault(thrown).message, 'sallyport audit verify');
  }
}
