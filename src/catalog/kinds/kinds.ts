import { CARDS } from './cards.ts';
import { HEALTH } from './health.ts';
import type { Kind } from './kind.ts';
import { PEOPLE } from './people.ts';
import { SECRETS } from './secrets.ts';

/** All there are, in the order in which they are written and told. */
export const KINDS: readonly Kind[] = [...CARDS, ...PEOPLE, ...HEALTH, ...SECRETS];
