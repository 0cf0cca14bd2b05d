/**
 * What happened at one target in a span of time, as an operator needs it who is about to enforce policies there: told
 * from audit events alone, so that it says no more than they do. Statements are normalised ones; no value is in it.
 */
export interface TargetReport {
  readonly target: string;
  /** RFC 3339, as all times here. */
  readonly since: string;
  readonly until: string;
  readonly sessions: { readonly started: number; readonly refused: number };
  readonly operations: OperationCounts;
  readonly who: readonly ReportedChain[];
  /** What was, or would have been, denied or held: most operations first. */
  readonly groups: readonly ReportedGroup[];
  readonly labelled: readonly ReportedColumn[];
  readonly found: readonly ReportedFind[];
  /** Operations that are counted, but for which the lists had no room. All zero: the lists are whole. */
  readonly left_out: {
    readonly who: number;
    readonly groups: number;
    readonly statements: number;
    readonly labelled: number;
  };
}

export interface OperationCounts {
  readonly cleared: number;
  readonly denied: number;
  /** Waited for an approval; each is cleared or denied as well. */
  readonly held: number;
  /** Of those cleared, what enforcing had denied or held. */
  readonly would_deny: number;
  readonly would_hold: number;
  /** The target answered with an error. */
  readonly failed: number;
}

export interface Seen {
  readonly first: string;
  readonly last: string;
}

export interface ReportedChain extends Seen {
  readonly principal: string;
  /** `alice > ci (attested)`; the principal where the start of the session is not known. */
  readonly chain: string;
  readonly operations: number;
  /** Denied and held, really or as they would have been. */
  readonly stopped: number;
}

export interface ReportedGroup extends Seen {
  readonly effect: 'deny' | 'hold';
  /** False: it ran, and enforcing had stopped it. */
  readonly enforced: boolean;
  /** Of a denial; undefined also where the event is of a release that did not say. */
  readonly reason: string | undefined;
  readonly policies: readonly string[];
  /** Approval rules that are asked. */
  readonly rules: readonly string[];
  readonly operations: number;
  readonly statements: readonly ReportedStatement[];
}

export interface ReportedStatement extends Seen {
  readonly fingerprint: string | undefined;
  /** Normalised, cut at 500 characters; undefined for what could not be read. */
  readonly statement: string | undefined;
  readonly operations: number;
  /** Chains that asked it; the first few. */
  readonly who: readonly string[];
  /** Why, in words. */
  readonly message: string | undefined;
  /** What would permit it: policy lines, or what to ask for; the first few. */
  readonly needs: readonly string[];
}

export interface ReportedColumn extends Seen {
  readonly column: string;
  readonly label: string;
  /** Operations by use: `read`, `derive`, `filter`, `assign`. */
  readonly uses: Readonly<Record<string, number>>;
  /** Operations in which it was masked, at least where it was shown. */
  readonly masked: number;
}

export interface ReportedFind extends Seen {
  readonly detector: string;
  readonly values: number;
  readonly operations: number;
}
