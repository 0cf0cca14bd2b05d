import type { AdoptedRole, AdoptionRecord, AdoptionRecords } from './record.ts';

export interface PasswordPorts {
  /** What the configuration says; asked only where nothing is adopted. Throws Fault SECRET_UNAVAILABLE. */
  readonly configured: () => Promise<string | undefined>;
  /** Whether the server lets the password in. Throws Fault where nobody can tell. */
  readonly works: (password: string) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** How long a change under way may take, and how often it is asked about. */
const PATIENCE = 5_000;
const ASK_EVERY = 100;

export interface FoundPassword {
  readonly password: string | undefined;
  readonly adopted: boolean;
}

/**
 * The password that a role logs in with. What was adopted takes the place of what the configuration says. Where a change
 * was begun and its end was not heard of, whichever of the two the server lets in.
 */
export async function passwordOf(
  role: AdoptedRole,
  records: Pick<AdoptionRecords, 'get'>,
  { configured, works, now, sleep }: PasswordPorts,
): Promise<FoundPassword> {
  for (let waited = 0; ; waited += ASK_EVERY) {
    const record = (await records.get(role))?.record;
    if (record === undefined) return { password: await configured(), adopted: false };
    if (record.next === undefined) return { password: record.password, adopted: true };
    if (waited >= PATIENCE || now() - record.next.since > PATIENCE)
      return { password: await either(record, record.next.password, works), adopted: true };
    await sleep(ASK_EVERY);
  }
}

async function either(record: AdoptionRecord, next: string, works: PasswordPorts['works']): Promise<string> {
  return (await works(next)) ? next : record.password;
}
