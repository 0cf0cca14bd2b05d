import type { SqlFacts } from './facts.ts';
import type { Obligation } from './obligation.ts';

/** One inspected request, before anybody decided anything. */
export interface Operation {
  readonly protocol: 'postgres';
  /** Exact text as the client sent it. */
  readonly text: string;
  /** As bound, decoded to text where the format allows; undefined for the simple protocol. */
  readonly parameters: readonly Parameter[] | undefined;
  readonly facts: SqlFacts;
  /** What EXECUTE or FETCH stands for, as it was prepared, bound or declared. */
  readonly runs?: Pick<Operation, 'text' | 'parameters'>;
  /** Upstream database and role it would run in. */
  readonly database: string;
  readonly role: string;
  /** Schemas in which names are looked up, also those in functions it calls. */
  readonly searchPath: readonly string[];
}

/** A bound parameter: NULL, text, or bytes in binary format. */
export type Parameter = null | string | Uint8Array;

declare const cleared: unique symbol;

/**
 * The right to forward one operation. Only the gate makes one (floors.test.ts counts the places), so a driver that
 * forwards bytes holds the proof that they were decided and recorded.
 */
export interface Clearance<T = Operation> {
  readonly [cleared]: true;
  readonly operation: T;
  /** Position of the operation in its session, from 1. Names it in recordings and audit. */
  readonly sequence: number;
  readonly obligations: readonly Obligation[];
  /** The text that goes to the target in place of the client's: the same, unless relations are masked in it. */
  readonly sent: string;
}
