import type { Link } from '../approvals/notify/links.ts';
import type { DeliveryStore } from '../approvals/notify/ports.ts';
import type { SlackRequest } from '../approvals/notify/slack-signature.ts';
import type { ApprovalStore } from '../approvals/ports.ts';
import type { EndedSessions, OtherSessions } from '../catalog/bypass/others.ts';
import type { BypassState } from '../catalog/bypass/watch.ts';
import type { Discovery, DiscoveryRequest } from '../catalog/discovery/proposal.ts';
import type { Config } from '../config/config.ts';
import type { ApprovalRequest } from '../core/approval.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Decision, Hold, Reason } from '../core/decision.ts';
import type { SessionDirectory } from '../core/directory.ts';
import type { AuditEvent, EvidenceWriter, RecordingEntry } from '../core/evidence.ts';
import type { Chain } from '../core/grant.ts';
import type { Authenticator, Binding, Origin } from '../core/login.ts';
import type { PolicyEngine } from '../core/policy.ts';
import type { PrincipalId } from '../core/principal.ts';
import type { IssuedPass } from '../identity/exchange.ts';
import type { Introspection } from '../identity/introspect.ts';
import type { OAuthError } from '../identity/oauth-error.ts';
import type { GrantStore } from '../identity/ports.ts';
import type { Adopted, Undone } from '../secrets/adoption/adoption.ts';

/** All that the control plane reaches. main.ts wires it; tests hand in fakes. */
export interface ControlPorts {
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The configuration in force; may be another one at the next call. */
  readonly config: () => Config;
  readonly engine: () => PolicyEngine;
  readonly authenticator: Pick<Authenticator, 'bearer'>;
  readonly tokens: TokenService;
  readonly grants: GrantStore;
  readonly sessions: Pick<SessionDirectory, 'list' | 'find'>;
  readonly evidence: Pick<EvidenceWriter, 'audit'>;
  readonly archive: Archive;
  readonly approvals: ApprovalService;
  readonly deliveries: Pick<DeliveryStore, 'list' | 'retry'>;
  /** The workspace whose app signed this; undefined: none, or too long ago. Throws Fault SECRET_UNAVAILABLE. */
  readonly slack: (request: SlackRequest) => Promise<SlackWorkspace | undefined>;
  readonly explain: (request: ExplainRequest) => Promise<Explanation>;
  readonly targets: TargetService;
  readonly adoption: AdoptionService;
  readonly bypass: BypassService;
  /** Since when the policies in force are, in milliseconds since the epoch; undefined where nobody knows. */
  readonly policiesSince: () => Promise<number | undefined>;
  readonly health: () => Promise<Health>;
  /** The port the data plane is bound to, where the configuration leaves the choice to the system (port 0). */
  readonly postgresPort?: () => number;
}

export interface SlackWorkspace {
  readonly name: string;
  /** Principals by the id of the user there. */
  readonly people: ReadonlyMap<string, PrincipalId>;
  /** Tells one user something, and where to go. Does not throw, and need not arrive. */
  whisper(to: { readonly channel: string; readonly user: string }, text: string, link: Link): Promise<void>;
}

export interface ApprovalService {
  readonly store: ApprovalStore;
  /** Asks for a statement ahead of time. Throws what a reader throws, and Fault TARGET_UNKNOWN. */
  ask(request: AheadRequest): Promise<AskedAhead>;
  /** Tells of changes to any request, one after the other. */
  changes(): Changes;
}

export interface AheadRequest extends ExplainRequest {
  readonly binding: Binding;
  /** As text, as they would be bound; undefined: without parameters. */
  readonly parameters: readonly (string | null)[] | undefined;
  readonly purpose: string | undefined;
}

/** A request, or the decision where nothing has to be asked or asking is no use. */
export type AskedAhead = { readonly made: ApprovalRequest } | { readonly decision: Exclude<Decision, Hold> };

export interface Changes {
  /** Resolves at the next change from now on, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** The token endpoint's logic, as the identity room has it, with its ports filled in. */
export interface TokenService {
  exchange(form: URLSearchParams, origin: Origin): Promise<IssuedPass | OAuthError>;
  introspect(token: string, origin: Origin): Promise<Introspection>;
  revoke(token: string, origin: Origin): Promise<void>;
}

/** Reads evidence. Iteration ends when there is no more, or, following, when `signal` aborts. */
export interface Archive {
  audit(query: AuditQuery, signal: AbortSignal): AsyncIterable<AuditEvent>;
  /** In the order they were recorded; decrypted. Throws Fault NOT_FOUND, EVIDENCE_BROKEN or SECRET_UNAVAILABLE. */
  recording(session: string, signal: AbortSignal): AsyncIterable<RecordingEntry>;
}

export interface AuditQuery {
  /** The newest events that match; all of them when undefined. */
  readonly last: number | undefined;
  readonly follow: boolean;
  readonly types: readonly string[] | undefined;
  readonly session: string | undefined;
  /** Absent: of all targets, and of none. */
  readonly target?: string;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
}

export interface TargetService {
  /** Dials, logs in and hangs up. Never throws: what went wrong is the answer. */
  test(name: string): Promise<TargetTest>;
  /** Samples what is unlabelled and proposes labels. Throws Fault CATALOG_UNREADABLE, CONFLICT. */
  discover(name: string, database: string, request: DiscoveryRequest): Promise<Discovery>;
  /** Encrypts and keeps a secret under a name, replacing what was there. */
  seal(name: string, value: string, by: string): Promise<void>;
}

/** Takes over passwords that roles have at their servers. All methods throw Fault. */
export interface AdoptionService {
  /** What an adoption would do. Changes nothing. */
  plan(target: string): Promise<AdoptionPlan>;
  /** Changes the password to one that only the gateway has. */
  adopt(target: string, by: string, options: { readonly endOthers: boolean }): Promise<AdoptionDone>;
  undo(target: string, by: string): Promise<Undone>;
  /** False when there was nothing to forget. */
  forget(target: string, by: string): Promise<boolean>;
}

export interface AdoptionPlan {
  readonly target: string;
  readonly address: string;
  readonly user: string;
  /** Where the password comes from that is in use: a reference of the configuration, or `sealed`; undefined: there is none. */
  readonly from: string | undefined;
  /** What the configuration says. */
  readonly configured: string | undefined;
  readonly adopted:
    | { readonly at: number; readonly by: string; readonly undo: boolean; readonly pending: boolean }
    | undefined;
  /** Other targets that use the same role at the same address, and those with a role of that name elsewhere. */
  readonly shared: readonly string[];
  readonly alike: readonly string[];
  readonly others: OtherSessions | { readonly unknown: string };
}

export interface AdoptionDone extends Adopted {
  /** Undefined where nobody asked for it. */
  readonly ended: EndedSessions | undefined;
}

/** Sessions at the targets that did not come through the gateway. */
export interface BypassService {
  /** Of every target that is watched, as of the last look. */
  states(): readonly BypassState[];
  /** Looks now. Undefined for a target that is not watched. Never throws. */
  look(target: string): Promise<BypassState | undefined>;
}

export interface TargetTest {
  readonly ok: boolean;
  /** For people: what was reached, or what failed and what to look at. */
  readonly message: string;
  readonly milliseconds: number;
}

export interface ExplainRequest {
  readonly chain: Chain;
  readonly target: string;
  readonly database: string;
  readonly role: string;
  readonly sql: string;
  readonly source: string;
}

export interface Explanation {
  /** As `describeChain` says. */
  readonly as: string;
  readonly target: string;
  readonly database: string;
  readonly decision: Decision;
  /** The text as it would go to the target; undefined where nothing would. */
  readonly sent: string | undefined;
  /** In the order they were asked. What a caveat took away was never asked. */
  readonly asks: readonly ExplainedAsk[];
  readonly statements: readonly ExplainedStatement[];
}

export interface ExplainedStatement {
  readonly verb: string;
  readonly bounded: boolean;
  readonly uses: readonly { readonly action: string; readonly resource: string }[];
  readonly columns: readonly ExplainedColumn[];
  /** Result columns that are computed, from 1, and which columns they are computed from. */
  readonly computed: readonly { readonly position: number; readonly name: string; readonly from: readonly string[] }[];
}

/** One question to policy about one identity of the chain. */
export interface ExplainedAsk {
  readonly identity: string;
  readonly action: string;
  readonly resource: string;
  readonly labels: readonly string[];
  readonly effect: Decision['effect'];
  readonly reason: Reason | undefined;
  readonly policies: readonly string[];
}

export interface ExplainedColumn {
  readonly column: string;
  readonly use: string;
  /** For a filter: `equality` or `any`. */
  readonly filter: string | undefined;
  readonly labels: readonly string[];
  /** What becomes of its values: masked where they leave, at the source, or whole; undefined: they stay as they are. */
  readonly mask: string | undefined;
}

export interface Health {
  /** Takes traffic. */
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
  /** Sessions past the gateway that are seen at this moment, and at how many targets. Has no part in `ready`. */
  readonly bypass: { readonly sessions: number; readonly targets: number; readonly unseen: number };
}
