import type { Label } from '../../core/label.ts';
import type { MaskStyle } from '../../core/obligation.ts';

/**
 * Finding out what should be labelled: samples of columns are looked through on the gateway's own connection, their
 * names are weighed, and labels are proposed for a person to take or leave. What was sampled is counted and forgotten;
 * nothing of it is in what comes out of this room.
 */

/** A label rule somebody may want, and why. */
export interface Proposal {
  /** As a label rule names it. */
  readonly column: string;
  readonly label: Label;
  readonly mask: MaskStyle;
  /** Keys into json, where everything that was found lies under them. */
  readonly path?: readonly string[];
  readonly confidence: Confidence;
  /** Values that were looked at, and how many of them held it. */
  readonly cells: number;
  readonly matched: number;
  readonly detectors: readonly string[];
  /** Its name says so, too. */
  readonly named: boolean;
  /** What was found is part of longer texts. */
  readonly within: boolean;
  /** Labels the column has already. */
  readonly has: readonly Label[];
}

export type Confidence = 'sure' | 'likely' | 'maybe';

export interface Discovery {
  readonly tables: number;
  readonly columns: number;
  readonly proposals: readonly Proposal[];
  readonly skipped: readonly Skipped[];
}

/** A relation that was left alone. */
export interface Skipped {
  readonly relation: string;
  readonly why: string;
}

export interface DiscoveryRequest {
  /** Most rows of each table. */
  readonly sample: number;
  /** `schema.relation` with `*`, as in label rules. Absent: all. */
  readonly tables?: string;
  /** Labelled columns too. */
  readonly all: boolean;
}

/** Tells of everything the detectors find in a text: which, and how many bytes of it. */
export type Find = (text: string, found: (detector: string, length: number) => void) => void;
