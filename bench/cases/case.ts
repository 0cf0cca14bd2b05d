import type { Kind, Target } from '../targets/target.ts';

/** What a case is run with. */
export interface Setting {
  readonly seconds: number;
  /** Rows in `people`. */
  readonly rows: number;
  /** Scratch space. */
  readonly directory: string;
  /** The direct connection: what is right. */
  readonly direct: Target;
  /** First process of the server. */
  readonly serverPid: number;
}

export interface Sample {
  /** In the case's unit. */
  readonly value: number;
  /** Of what CPU time is divided by. */
  readonly count: number;
}

/** One thing that is measured the same way on every target. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** CPU time is given per this. */
  readonly per: string;
  /** Part of the short form. */
  readonly quick: boolean;
  readonly kinds: readonly Kind[];
  /** Clients and proxy on one core, so that what is compared is work and not wake-ups. */
  readonly pinned?: true;
  /** Throws when what comes back is not right; runs before anything is measured. */
  check(target: Target, setting: Setting): Promise<void>;
  measure(target: Target, setting: Setting): Promise<Sample>;
}

/** Where there is one gateway to compare: everything on. */
export const USUAL: readonly Kind[] = ['direct', 'pgbouncer', 'sallyport'];
export const ALL: readonly Kind[] = [...USUAL, 'sallyport-labels'];

export function expectSame(what: string, seen: unknown, right: unknown): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(right)];
  if (a !== b) throw new Error(`${what}: ${short(a)} instead of ${short(b)}`);
}

function short(text: string | undefined): string {
  return text === undefined || text.length <= 200 ? String(text) : `${text.slice(0, 200)}…`;
}
