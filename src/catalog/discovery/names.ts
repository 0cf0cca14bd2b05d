import type { Kind } from '../kinds/kind.ts';
import { KINDS } from '../kinds/kinds.ts';

/** What kinds of types are told apart where a name is weighed. `other`: of a name nothing follows. */
export type TypeClass = 'text' | 'number' | 'date' | 'network' | 'other';

export interface Named {
  readonly kind: Kind;
  /** Not the name alone: it means this because of the table it is in. */
  readonly among: boolean;
}

/** Words behind a name that make it something about the value instead of the value: `email_verified`, `address_id`. */
const ABOUT = new Set(
  (
    'id ids fk count counts total verified confirmed validated valid enabled disabled required allowed active optin optout opt ' +
    'sent at on type types kind status state flag format length version template subject body ttl expires expiry expiration ' +
    'expired changed updated created rotated hint label title source provider consent preference preferences limit ' +
    'app os device url path range country attempts domain locale used usage score index order'
  ).split(' '),
);
/** And before it: `is_email_ok`, `num_tokens`. */
const ASKING = new Set(
  'is has have can may should must allow allows enable num count max min total requires show hide'.split(' '),
);

/** Tables of people, in singular. */
const PEOPLE = new Set(
  (
    'customer user person people employee patient contact member subscriber client guest applicant candidate student teacher ' +
    'staff account profile cardholder lead resident citizen tenant passenger donor driver doctor physician beneficiary owner'
  ).split(' '),
);

const PHRASES: ReadonlyMap<string, Named> = phrases(KINDS);
const LONGEST = 4;

/** What a column is called by its name, if that says what it holds. */
export function kindByName(column: string, relation: string, type: TypeClass): Named | undefined {
  const words = wordsOf(column);
  if (words.length > 1 && ASKING.has(words[0] ?? '')) return undefined;
  const found = longest(words);
  if (found === undefined) return undefined;
  const { phrase, end } = found;
  if (end < words.length && ABOUT.has(words[end] ?? '')) return undefined;
  if (type !== 'text' && !(phrase.kind.types ?? []).some((one) => one === type)) return undefined;
  if (phrase.among && !(isWhole(words, found) && isAboutPeople(relation))) return undefined;
  return phrase;
}

interface Found {
  readonly phrase: Named;
  readonly start: number;
  readonly end: number;
}

/** The longest phrase in it, and of equals the last one: `ip_address` is no address, `company_name_email` an e-mail address. */
function longest(words: readonly string[]): Found | undefined {
  for (let length = Math.min(LONGEST, words.length); length > 0; length--) {
    for (let start = words.length - length; start >= 0; start--) {
      const phrase = PHRASES.get(words.slice(start, start + length).join(' '));
      if (phrase) return { phrase, start, end: start + length };
    }
  }
  return undefined;
}

function isWhole(words: readonly string[], { start, end }: Found): boolean {
  return start === 0 && end === words.length;
}

function isAboutPeople(relation: string): boolean {
  return wordsOf(relation).some((word) => PEOPLE.has(word) || PEOPLE.has(word.replace(/s$/, '')));
}

/** `dateOfBirth`, `date_of_birth`, `Date-Of-Birth` are the same words. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function phrases(kinds: readonly Kind[]): Map<string, Named> {
  const found = new Map<string, Named>();
  const add = (kind: Kind, name: string, among: boolean): void => {
    for (const spelled of [name, name.replaceAll(' ', '')]) {
      for (const one of [spelled, `${spelled}s`]) if (!found.has(one)) found.set(one, { kind, among });
    }
  };
  for (const kind of kinds) for (const name of kind.names) add(kind, name, false);
  for (const kind of kinds) for (const name of kind.among ?? []) add(kind, name, true);
  return found;
}
