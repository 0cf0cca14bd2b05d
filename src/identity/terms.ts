import type { Agent } from '../core/agent.ts';
import { type Chain, currentOf, type Grant, MAX_DEPTH } from '../core/grant.ts';
import type { ExchangeRequest } from './exchange-request.ts';
import { widenings } from './subset.ts';

/** How long and how far a grant goes; what `Grant` holds beyond who and what. */
export type Terms = Pick<Grant, 'connectBy' | 'expires' | 'uses' | 'delegable' | 'maxDepth'>;

/** Milliseconds. */
export interface Lifetimes {
  /** What a grant gets that asks for nothing. */
  readonly usual: number;
  /** The most a root may ask for. */
  readonly most: number;
  /** How long a pass to an asserted helper may open sessions. */
  readonly asserted: number;
}

export const LIFETIMES: Lifetimes = { usual: 3_600_000, most: 12 * 3_600_000, asserted: 120_000 };

/** Clocks move between two requests: asking for what the parent has just had left is not asking for more. */
const GRACE = 60_000;

type Asked = Pick<ExchangeRequest, 'expiresIn' | 'connectWithin' | 'uses' | 'maxDepth' | 'delegable'>;

/** A root's terms. `until`: the end its token sets, if it does. Strings are what does not fit. */
export function rootTerms(
  asked: Asked,
  now: number,
  until: number | undefined,
  lifetimes: Lifetimes,
): Terms | string[] {
  const end = Math.min(now + lifetimes.most, until ?? Number.POSITIVE_INFINITY);
  // Verification forgives some skew; a grant does not.
  if (end <= now) return ['the token ends now'];
  const over = tooLong('expires_in', asked.expiresIn, end - now, 'this login allows');
  if (over) return [over];
  const expires = Math.min(end, now + seconds(asked.expiresIn, lifetimes.usual));
  const delegable = asked.delegable ?? asked.maxDepth !== 0;
  return {
    expires,
    connectBy: Math.min(expires, now + seconds(asked.connectWithin, expires - now)),
    uses: asked.uses,
    delegable,
    maxDepth: delegable ? (asked.maxDepth ?? MAX_DEPTH) : 0,
  };
}

/** A child's terms under `parent`, or everything in which it asks for more than the parent has. */
export function childTerms(
  asked: Asked & Pick<ExchangeRequest, 'caveats'>,
  parent: Chain,
  more: { now: number; agent: Agent | undefined; usesLeft: number | undefined; lifetimes: Lifetimes },
): Terms | string[] {
  const { now, agent, usesLeft, lifetimes } = more;
  const above = currentOf(parent);
  // What every ancestor allows; each row already holds the minimum, and safety is better not left to that.
  const end = Math.min(...parent.grants.map(({ expires }) => expires));
  const lastConnect = Math.min(...parent.grants.map(({ connectBy }) => connectBy));
  const depthLeft = Math.min(above.maxDepth - 1, MAX_DEPTH - parent.grants.length);
  const asserted = agent?.assurance === 'asserted';
  const delegable = asked.delegable ?? (asked.maxDepth === undefined ? !asserted && depthLeft > 0 : asked.maxDepth > 0);
  const maxDepth = delegable ? (asked.maxDepth ?? Math.max(1, depthLeft)) : 0;

  const beyond = [
    ...widenings(
      asked.caveats,
      parent.grants.map(({ caveats }) => caveats),
    ),
    tooLong('expires_in', asked.expiresIn, end - now, "the parent's pass has"),
    tooLong('connect_within', asked.connectWithin, lastConnect - now, "the parent's pass has"),
    maxDepth > depthLeft
      ? `max_depth: ${maxDepth} below this pass, and the parent leaves ${Math.max(0, depthLeft)}`
      : undefined,
    asked.uses !== undefined && asked.uses > (usesLeft ?? Number.POSITIVE_INFINITY)
      ? `uses: ${asked.uses} is more than the ${usesLeft} the parent's pass has left`
      : undefined,
  ].filter((problem) => problem !== undefined);
  if (beyond.length > 0) return beyond;

  const expires = Math.min(end, now + seconds(asked.expiresIn, lifetimes.usual));
  const window = seconds(asked.connectWithin, asserted ? lifetimes.asserted : expires - now);
  return { expires, connectBy: Math.min(expires, lastConnect, now + window), uses: asked.uses, delegable, maxDepth };
}

function tooLong(name: string, asked: number | undefined, left: number, whose: string): string | undefined {
  if (asked === undefined || asked * 1000 <= left + GRACE) return undefined;
  return `${name}: ${asked} s is more than the ${Math.max(0, Math.floor(left / 1000))} s ${whose}`;
}

function seconds(asked: number | undefined, usual: number): number {
  return asked === undefined ? usual : asked * 1000;
}
