import { createHash } from 'node:crypto';
import { Fault } from '../../core/fault.ts';
import type { Envelope } from '../envelope.ts';
import type { SealedStore } from '../ports.ts';

/** A role at a server: what a password belongs to, whichever targets use it. */
export interface AdoptedRole {
  /** As in the configuration: `host:port`, or a socket's path. */
  readonly address: string;
  readonly user: string;
}

/** What is kept of a role whose password the gateway has taken over. Sealed as a whole. */
export interface AdoptionRecord {
  /** What logs in; while there is a `next`, perhaps not any more. */
  readonly password: string;
  /** Where it came from: `env:SHOP_PASSWORD`, or `sealed` where it is one of ours. */
  readonly from: string;
  /** What is about to take its place, or has: which of the two logs in is not known. */
  readonly next?: Next;
  /** What it was before, for the way back. */
  readonly old?: Password;
  /** Milliseconds since the epoch of the last change, and who made it. */
  readonly at: number;
  readonly by: string;
}

export interface Next {
  readonly password: string;
  readonly doing: 'adopt' | 'undo';
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Nothing was adopted before: where this comes to nothing, nothing is kept. */
  readonly first: boolean;
}

export type Password = Pick<AdoptionRecord, 'password' | 'from'>;

/** A record as it was read; what it is changed from. */
export interface Kept {
  readonly record: AdoptionRecord;
  readonly sealed: Uint8Array;
}

/** Records of adopted roles, in the store of sealed secrets. All methods throw Fault STORE_UNAVAILABLE. */
export class AdoptionRecords {
  readonly #sealed: Pick<SealedStore, 'get' | 'swap'>;
  readonly #envelope: Envelope;

  constructor(sealed: Pick<SealedStore, 'get' | 'swap'>, envelope: Envelope) {
    this.#sealed = sealed;
    this.#envelope = envelope;
  }

  /** Throws Fault SECRET_UNAVAILABLE where it cannot be opened. */
  async get(role: AdoptedRole): Promise<Kept | undefined> {
    const name = nameOf(role);
    const sealed = await this.#sealed.get(name);
    if (sealed === undefined) return undefined;
    return { record: recordOf(this.#envelope.open(sealed, contextOf(name))), sealed };
  }

  /** Changes what was read, or removes it. Throws Fault CONFLICT where it is not any more what was read. */
  async change(role: AdoptedRole, from: Kept | undefined, to: AdoptionRecord | undefined): Promise<Kept | undefined> {
    const name = nameOf(role);
    const sealed = to && this.#envelope.seal(Buffer.from(JSON.stringify({ v: 1, ...to })), contextOf(name));
    const about = { keyId: this.#envelope.keyId, by: to?.by ?? '' };
    if (await this.#sealed.swap(name, from?.sealed, sealed, about)) return to && sealed && { record: to, sealed };
    throw new Fault('CONFLICT', 'somebody else is changing the password of this role at this moment');
  }
}

/** No name that `targets seal` takes, nor one that a configuration can refer to. */
function nameOf({ address, user }: AdoptedRole): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([address, user]))
    .digest('hex');
  return `adopted/${hash.slice(0, 32)}`;
}

function contextOf(name: string): string {
  return `adopted role\n${name}`;
}

function recordOf(bytes: Uint8Array): AdoptionRecord {
  const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as AdoptionRecord & { readonly v: unknown };
  if (value.v !== 1) throw new Fault('SECRET_UNAVAILABLE', 'an adopted password was sealed by a newer release');
  const { password, from, next, old, at, by } = value;
  return { password, from, ...(next ? { next } : {}), ...(old ? { old } : {}), at, by };
}
