import { isPlausible, isSigned } from '../../approvals/notify/slack-signature.ts';
import type { ApprovalStore } from '../../approvals/ports.ts';
import { MemoryDeliveries } from '../../approvals/testing/deliveries.ts';
import { memoryStore } from '../../approvals/testing/memory.ts';
import type { BypassState } from '../../catalog/bypass/watch.ts';
import type { Discovery, DiscoveryRequest } from '../../catalog/discovery/proposal.ts';
import { parseConfig } from '../../config/load.ts';
import type { Agent } from '../../core/agent.ts';
import type { Caveats } from '../../core/caveats.ts';
import { deny } from '../../core/decision.ts';
import type { ListedSession } from '../../core/directory.ts';
import type { AuditEvent, RecordingEntry } from '../../core/evidence.ts';
import { Fault } from '../../core/fault.ts';
import type { Revocation } from '../../core/feed.ts';
import { type Chain, currentOf, type Grant } from '../../core/grant.ts';
import type { Login } from '../../core/login.ts';
import type { PolicyEngine } from '../../core/policy.ts';
import type { Principal } from '../../core/principal.ts';
import { oauthError } from '../../identity/oauth-error.ts';
import type { AdoptionPlan, AskedAhead, AuditQuery, ControlPorts, ExplainRequest, SlackWorkspace } from '../ports.ts';

/** 22 characters from a short word. */
export function idOf(word: string): string {
  return word.padStart(22, '0');
}

/** What the fake token endpoint gives. */
export const NEW_PASS: string = `slp_${'n'.repeat(22)}_${'s'.repeat(38)}`;

export const NOW: number = Date.parse('2026-10-01T12:00:00Z');

export function grantOf(word: string, more: Partial<Grant> = {}): Grant {
  const name = more.principal?.name ?? 'alice';
  return {
    id: idOf(word),
    parent: undefined,
    path: [idOf(word)],
    principal: person(name),
    agent: undefined,
    caveats: {},
    createdAt: NOW,
    connectBy: NOW + 3_600_000,
    expires: NOW + 3_600_000,
    uses: undefined,
    delegable: true,
    maxDepth: 8,
    purpose: undefined,
    transaction: idOf('txn'),
    login: undefined,
    ...more,
  };
}

export function person(name: string, groups: readonly string[] = []): Principal {
  return { kind: 'user', id: `https://id.example|${name}`, name, groups };
}

export function childOf(parent: Grant, word: string, agent: Agent | undefined, caveats: Caveats = {}): Grant {
  return grantOf(word, {
    parent: parent.id,
    path: [...parent.path, idOf(word)],
    principal: parent.principal,
    agent,
    caveats,
  });
}

export const CI: Agent = {
  id: 'https://ci.example|job',
  name: 'deploy',
  kind: 'ci',
  assurance: 'attested',
  class: 'github',
  rights: 'delegated',
  groups: [],
};

/** Ports over plain values, which tests set and look at. */
export class FakeControl {
  now: number = NOW;
  chains: Map<string, Chain> = new Map();
  /** Passes, by themselves. */
  passes: Map<string, Chain> = new Map();
  revoked: Map<string, Revocation> = new Map();
  events: AuditEvent[] = [];
  sealed: Map<string, string> = new Map();
  /** Names of principals that hold every right over the gateway. */
  admins: string[] = ['dave'];
  auditors: string[] = ['erin'];
  approvers: string[] = ['bob', 'frida', 'dave'];
  sessions: ListedSession[] = [];
  entries: RecordingEntry[] = [];
  archived: AuditEvent[] = [];
  asked: AuditQuery[] = [];
  explained: ExplainRequest[] = [];
  forms: URLSearchParams[] = [];
  discoveries: DiscoveryRequest[] = [];
  discovery: Discovery = { tables: 0, columns: 0, proposals: [], skipped: [] };
  bypass: BypassState[] = [];
  /** What was asked for, in order. */
  adoptions: string[] = [];
  adoptionFault: Fault | undefined = undefined;
  /** Tokens that were used. */
  used: Set<string> = new Set();
  /** Principals by the id of the user of Slack. */
  slackers: Map<string, string> = new Map();
  whispers: string[] = [];
  deliveries: MemoryDeliveries = new MemoryDeliveries(() => this.now);
  policiesSince: number | undefined = undefined;
  ahead: AskedAhead = { decision: deny('no-permit', 'no') };
  unwritable: boolean = false;
  /** Resolves while something follows the audit log. */
  follow: ((signal: AbortSignal) => Promise<void>) | undefined;

  add(pass: string, ...grants: [Grant, ...Grant[]]): Chain {
    const chain = { grants };
    this.passes.set(pass, chain);
    for (let length = 1; length <= grants.length; length++) {
      const upper: Chain = { grants: [grants[0], ...grants.slice(1, length)] };
      this.chains.set(currentOf(upper).id, upper);
    }
    return chain;
  }

  /** Resolves at the next change of a request. */
  change: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly requests: ApprovalStore = memoryStore(
    () => this.now,
    () => {
      this.change.resolve();
      this.change = Promise.withResolvers<void>();
    },
  );

  readonly engine: PolicyEngine = {
    epoch: 1,
    decide: (_chain, ask) =>
      ask.resource.path[0] === 'hidden'
        ? deny('no-permit', 'no')
        : { effect: 'permit', policies: ['p'], obligations: [] },
    decideGateway: (principal, action) => {
      const allowed =
        { 'gateway-audit': this.auditors, 'gateway-approve': this.approvers }[action as string] ?? this.admins;
      if (allowed.includes(principal.name)) return { effect: 'permit', policies: ['p'], obligations: [] };
      return deny('no-permit', 'no');
    },
    wording: (policies) => policies.join(),
    namesColumnsOf: () => false,
  };

  ports(): ControlPorts {
    const loaded = parseConfig(CONFIG, '/tmp/sallyport.yaml');
    if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join());
    const { config } = loaded;
    let count = 0;
    return {
      version: '0',
      approvals: {
        store: this.requests,
        ask: async () => this.ahead,
        changes: () => ({
          next: (signal) =>
            Promise.race([
              this.change.promise,
              new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
            ]),
          close: () => undefined,
        }),
      },
      deliveries: this.deliveries,
      slack: async (request) =>
        isPlausible(request, this.now) && isSigned(request, SIGNING_SECRET) ? workspaceOf(this) : undefined,
      clock: { now: () => this.now, monotonic: () => this.now },
      random: { bytes: (length) => new Uint8Array(length).fill(count++) },
      config: () => config,
      engine: () => this.engine,
      authenticator: {
        bearer: async (secret): Promise<Login> => {
          const chain = this.passes.get(secret);
          if (!chain) throw new Fault('LOGIN_FAILED', 'inner detail');
          return { chain, binding: 'bearer' };
        },
      },
      tokens: {
        exchange: async (form) => {
          this.forms.push(form);
          const chain = this.passes.get(form.get('subject_token') ?? '');
          if (!chain) return oauthError('invalid_request', 'subject_token is not accepted', ['subject_token: unknown']);
          return { pass: NEW_PASS, chain, details: undefined, summary: 'may do things' };
        },
        introspect: async (token) => (this.passes.has(token) ? { active: true, sub: 'x' } : { active: false }),
        revoke: async (token) => {
          this.passes.delete(token);
        },
      },
      grants: {
        insert: async () => undefined,
        verifier: async () => undefined,
        debit: async () => 'debited',
        usesLeft: async () => undefined,
        once: async (issuer, id) => {
          const key = `${issuer} ${id}`;
          return !this.used.has(key) && this.used.add(key).size > 0;
        },
        load: async (id) => {
          const chain = this.chains.get(id);
          return chain && { chain, revoked: chain.grants.map((grant) => this.revoked.get(grant.id)).find(Boolean) };
        },
        // Gives everything: what may be seen is the routes' business.
        list: async () =>
          [...this.chains.values()].map((chain) => ({
            grant: currentOf(chain),
            usesLeft: undefined,
            revoked: this.revoked.get(currentOf(chain).id),
          })),
        revoke: async (subject, by, reason) => {
          const revocation = { subject, by, reason, at: this.now };
          this.revoked.set(subject.id, revocation);
          return revocation;
        },
        cut: async (subject, by, reason) => {
          const revocation = { subject, by, reason, at: this.now, until: 1 };
          this.revoked.set(subject.id, revocation);
          return revocation;
        },
        lift: async (subject, by, reason) => {
          const found = this.revoked.get(subject.id);
          const lifted = found && { ...found, until: 2, lifted: { by, reason, at: this.now } };
          if (lifted) this.revoked.set(subject.id, lifted);
          return lifted;
        },
        revocations: async (filter) =>
          [...this.revoked.values()].filter((one) => {
            const { kinds, ids, lasting } = filter;
            return (
              (kinds?.includes(one.subject.kind) ?? true) &&
              (ids?.includes(one.subject.id) ?? true) &&
              !(lasting && one.until !== undefined)
            );
          }),
        knows: async ({ id }) =>
          [...this.chains.values()].some(({ grants }) =>
            grants.some(({ principal, agent }) => principal.id === id || agent?.id === id),
          ),
      },
      sessions: {
        list: async () => this.sessions,
        find: async (id) => this.sessions.find((session) => session.id === id),
      },
      evidence: {
        audit: async (event) => {
          if (this.unwritable) throw new Fault('EVIDENCE_UNWRITABLE', 'disk full at /var/secret');
          this.events.push(event);
        },
      },
      archive: archiveOf(this),
      explain: async (request) => {
        this.explained.push(request);
        return {
          as: 'x',
          target: request.target,
          database: request.database,
          decision: { effect: 'permit', policies: [], obligations: [] },
          asks: [],
          statements: [],
          sent: undefined,
        };
      },
      targets: {
        test: async () => ({ ok: true, message: 'PostgreSQL 18', milliseconds: 3 }),
        discover: async (_name, _database, request) => {
          this.discoveries.push(request);
          return this.discovery;
        },
        seal: async (name, value) => {
          this.sealed.set(name, value);
        },
      },
      adoption: {
        plan: async (target) => {
          this.adoptions.push(`plan ${target}`);
          return { ...PLAN, target };
        },
        adopt: async (target, by, { endOthers }) => {
          this.adoptions.push(`adopt ${target} by ${by}${endOthers ? ' and end others' : ''}`);
          if (this.adoptionFault) throw this.adoptionFault;
          return { oldStillWorks: false, ended: endOthers ? { ended: 2, problems: [] } : undefined };
        },
        undo: async (target, by) => {
          this.adoptions.push(`undo ${target} by ${by}`);
          return 'restored';
        },
        forget: async (target, by) => {
          this.adoptions.push(`forget ${target} by ${by}`);
          return true;
        },
      },
      bypass: {
        states: () => this.bypass,
        look: async (target) => this.bypass.find((state) => state.target === target),
      },
      policiesSince: async () => this.policiesSince,
      health: async () => ({ ready: true, checks: [], bypass: { sessions: 0, targets: 0, unseen: 0 } }),
    };
  }
}

/** What the fake workspace signs with. */
export const SIGNING_SECRET: string = 'shhh';

function workspaceOf(fake: FakeControl): SlackWorkspace {
  return {
    name: 'slack',
    people: fake.slackers,
    whisper: async ({ user }, text, { url }) => void fake.whispers.push(`${user} ${text} ${url}`),
  };
}

function archiveOf(fake: FakeControl): ControlPorts['archive'] {
  return {
    async *audit(query, signal) {
      fake.asked.push(query);
      yield* fake.archived;
      if (query.follow) await fake.follow?.(signal);
    },
    async *recording(session) {
      for (const entry of fake.entries) {
        if (entry.session !== session) throw new Fault('EVIDENCE_BROKEN', 'inner detail');
        yield entry;
      }
    },
  };
}

const PLAN: AdoptionPlan = {
  target: 'shop',
  address: 'db.example:5432',
  user: 'app',
  from: 'env:SECRET',
  configured: 'env:SECRET',
  adopted: undefined,
  shared: [],
  alike: [],
  others: {
    pooled: false,
    groups: [{ role: 'app', address: '10.0.0.7', sessions: 2, applications: ['cron'], since: NOW - 1000 }],
  },
};

const CONFIG = `
version: 1
url: https://gw.example.com
identity:
  providers:
    - { name: corp, kind: people, issuer: "https://id.example", audience: sallyport }
targets:
  - { name: shop, protocol: postgres, address: db.example, database: shop, credential: { user: app, password: "env:SECRET" } }
  - { name: hidden, protocol: postgres, address: db.example, database: hidden, credential: { user: app } }
`;
