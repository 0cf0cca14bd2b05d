import { inspect } from 'node:util';
import { Fault } from '../../src/core/fault.ts';
import { corpusOf } from './corpus.ts';
import { DECODERS } from './decoders.ts';
import { mutated, randomOf } from './mutate.ts';

/** Milliseconds one input may take: the decoders stand on the event loop, where everybody waits. */
const WITHIN = 250;

/**
 * Gives a decoder its corpus, and then what comes of it, until the time is over. Throws where something other than a
 * Fault is thrown, an input takes too long, or a stream reads differently in pieces; the message is a line to keep.
 */
export function fuzz(
  decoder: string,
  { seed, milliseconds }: { readonly seed: number; readonly milliseconds: number },
): number {
  const decode = DECODERS[decoder];
  if (decode === undefined) throw new Error(`no decoder ${decoder}`);
  const corpus = corpusOf(decoder);
  const random = randomOf(seed);
  const until = performance.now() + milliseconds;
  let count = 0;
  const give = (input: Buffer): void => {
    count += 1;
    const began = performance.now();
    const whole = outcome(() => decode(Buffer.from(input), [input.length]));
    const cut = outcome(() => decode(Buffer.from(input), [1 + random(7), 1 + random(40), 1]));
    const took = performance.now() - began;
    const line = `${input.toString('hex')} # ${decoder}, seed ${seed}`;
    if (took > 2 * WITHIN) throw new Error(`took ${Math.round(took)} ms: ${line}`);
    if (whole instanceof Error) throw new Error(`threw what is no fault: ${line}`, { cause: whole });
    if (whole !== cut) throw new Error(`reads differently in pieces: ${line}\n${String(whole)}\n${String(cut)}`);
  };
  for (const input of corpus) give(input);
  while (performance.now() < until) give(mutated(corpus[random(corpus.length)] ?? Buffer.alloc(0), corpus, random));
  return count;
}

/** What came of it, comparable; an error where it was no fault. */
function outcome(run: () => unknown): string | Error {
  try {
    return inspect(run(), { depth: 8, maxArrayLength: 200, maxStringLength: 2_000 });
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.code;
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}
