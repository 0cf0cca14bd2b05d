import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { asFault } from '../core/fault.ts';
import type { Caller } from './caller.ts';
import { faultProblem, HttpProblem } from './http-problem.ts';
import type { Routes } from './routes.ts';

/** How often a running stream asks again whether its reader may still read. */
const RECHECK_MS = 2000;

/** Streams at once in one process: each may hold an open file. */
const MAX_STREAMS = 64;
let open = 0;

export interface StreamOptions {
  readonly routes: Routes;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  /** Throws when the caller may not read any more. */
  readonly permitted: () => void;
}

/**
 * Answers with one JSON value a line. A stream that breaks off says so in its last line, `{"problem": …}`, so that a
 * cut is never taken for an end. It stops when the reader goes away, or loses the right or the pass to read.
 */
export function sendLines(
  options: StreamOptions,
  source: (signal: AbortSignal) => AsyncIterable<unknown>,
): FastifyReply {
  const { routes, reply, caller, permitted } = options;
  if (open >= MAX_STREAMS) throw new HttpProblem(503, 'PROTOCOL_LIMIT', 'too many streams are open; close one first');
  open += 1;
  const stop = new AbortController();
  let lost: HttpProblem | undefined;
  const recheck = setInterval(() => {
    stillAlive(caller, routes)
      .then(permitted)
      .catch((thrown: unknown) => {
        lost = thrown instanceof HttpProblem ? thrown : faultProblem(asFault(thrown));
        stop.abort();
      });
  }, RECHECK_MS);
  recheck.unref();
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    open -= 1;
    clearInterval(recheck);
    stop.abort();
  };
  reply.raw.once('close', finish);

  async function* lines(): AsyncGenerator<string> {
    try {
      for await (const value of source(stop.signal)) {
        if (lost) break;
        yield `${JSON.stringify(value)}\n`;
      }
      if (lost) yield `${JSON.stringify({ problem: { code: lost.code, detail: lost.message } })}\n`;
    } catch (thrown) {
      const problem = thrown instanceof HttpProblem ? thrown : faultProblem(asFault(thrown));
      yield `${JSON.stringify({ problem: { code: problem.code, detail: problem.message } })}\n`;
    } finally {
      finish();
    }
  }
  return reply.type('application/x-ndjson').send(Readable.from(lines(), { objectMode: false }));
}

async function stillAlive(caller: Caller, { ports }: Routes): Promise<void> {
  if (caller.kind === 'local') return;
  const { grants } = caller.login.chain;
  const now = ports.clock.now();
  const stored = await ports.grants.load(grants[grants.length - 1]?.id ?? '');
  if (!stored || stored.revoked || grants.some((grant) => grant.expires <= now)) {
    throw new HttpProblem(401, 'LOGIN_FAILED', 'the pass this was read with has ended');
  }
}
