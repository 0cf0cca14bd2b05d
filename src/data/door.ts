import type { Clock, Random } from '../core/clock.ts';
import { type Decision, type Denial, deny, type Hold } from '../core/decision.ts';
import type { SessionDirectory } from '../core/directory.ts';
import type { EvidenceWriter } from '../core/evidence.ts';
import type { SqlReader } from '../core/facts.ts';
import { Fault } from '../core/fault.ts';
import { agentsOf, currentOf, describeChain, rootOf } from '../core/grant.ts';
import { newId } from '../core/id.ts';
import type { Label } from '../core/label.ts';
import type { Measures } from '../core/measures.ts';
import type { Operation } from '../core/operation.ts';
import type { AskContext, PolicyEngine } from '../core/policy.ts';
import type { Greeting, Session, Sessions } from '../core/session.ts';
import type { Credential, Target } from '../core/target.ts';
import { coversConnect } from '../policy/caveats.ts';
import type { Budgets } from './budgets.ts';
import type { Asked } from './gate.ts';
import type { Leases } from './leases.ts';
import { type Limits, LiveSession } from './live-session.ts';
import { idsOf, type Registry, strikable } from './registry.ts';
import { endingOf, type Revocations } from './revocations.ts';
import { Witness } from './witness.ts';

/** A target as the data plane knows it. */
export interface DataTarget {
  readonly target: Target;
  readonly limits: Limits;
}

export interface DoorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly node: string;
  readonly worker: number;
  readonly target: (name: string) => DataTarget | undefined;
  readonly engine: PolicyEngine;
  /** Reads SQL for one principal. */
  readonly reader: (principal: string) => SqlReader;
  readonly evidence: EvidenceWriter;
  readonly measures: Measures;
  readonly directory: SessionDirectory;
  readonly registry: Registry;
  readonly revocations: Revocations;
  readonly leases: Leases;
  readonly budgets: Budgets;
  readonly debit: (path: readonly string[], count: number) => Promise<{ readonly exhausted: string } | 'debited'>;
  readonly ask: (session: Session, operation: Operation, hold: Hold) => Promise<Asked>;
  /** Opens the target's credential for one upstream role. Throws Fault SECRET_UNAVAILABLE. */
  readonly credential: (target: string, role: string) => Promise<Credential>;
  readonly hasher: (principal: string, label: Label) => (bytes: Uint8Array) => Uint8Array;
}

/** The one way from a proved login to a session: caveats, policy, evidence, directory, registry, in this order. */
export class Door implements Sessions {
  readonly #ports: DoorPorts;

  constructor(ports: DoorPorts) {
    this.#ports = ports;
  }

  async open(greeting: Greeting): Promise<Session | Denial> {
    const { target: known } = this.#ports;
    const found = known(greeting.target);
    const database = greeting.database ?? found?.target.database ?? '';
    const [standard = ''] = found?.target.roles ?? [];
    const role = found?.target.roles.find((each) => each === greeting.role) ?? standard;
    const denial =
      found === undefined || !found.target.databases.includes(database)
        ? closed(greeting)
        : await this.#mayConnect(greeting, found.target, { database, role, impersonates: role !== standard });
    if (denial !== undefined) {
      await this.#refused(greeting, denial);
      return denial;
    }
    if (found === undefined) throw new Fault('TARGET_UNKNOWN', 'no such target');
    return await this.#start(greeting, found, { database, role });
  }

  async #mayConnect(
    greeting: Greeting,
    target: Target,
    wanted: { readonly database: string; readonly role: string; readonly impersonates: boolean },
  ): Promise<Denial | undefined> {
    const { engine, clock, revocations } = this.#ports;
    const { login, origin } = greeting;
    const stale = await revocations.fresh();
    if (stale !== undefined) return stale;
    const struck = revocations.struck(strikable(login.chain, target.name, ''));
    if (struck !== undefined) return deny('grant-revoked', endingOf(struck).message);
    const beyond = coversConnect(login.chain, { target: target.name, ...wanted, source: origin.address });
    if (beyond !== undefined) return beyond;
    const context: AskContext = {
      statement: { verb: 'connect', bounded: true, count: 0 },
      binding: login.binding,
      source: origin.address,
      now: clock.now(),
    };
    const resource = { kind: 'Target', path: [target.name] } as const;
    const connect = engine.decide(login.chain, { action: 'connect', resource, labels: target.labels }, context);
    const refusal = asRefusal(connect, greeting);
    if (refusal !== undefined || !wanted.impersonates) return refusal;
    return asRefusal(
      engine.decide(login.chain, { action: 'impersonate', resource, labels: target.labels }, context),
      greeting,
    );
  }

  async #start(
    greeting: Greeting,
    found: DataTarget,
    { database, role }: { readonly database: string; readonly role: string },
  ): Promise<Session | Denial> {
    const ports = this.#ports;
    const { login, origin } = greeting;
    const { chain, binding } = login;
    const { target, limits } = found;
    const principal = rootOf(chain).principal.id;
    const id = newId(ports.clock, ports.random);
    const strikables = strikable(chain, target.name, id);
    const witness = new Witness(
      ports.evidence,
      ports.clock,
      { session: id, chain, target: target.name, database, role },
      target.recording,
    );
    const session = new LiveSession(
      { id, chain, target, database, role, binding, source: origin.address, limits, tag: tagOf(greeting), strikables },
      {
        clock: ports.clock,
        engine: ports.engine,
        reader: ports.reader(principal),
        revocations: ports.revocations,
        witness,
        measures: ports.measures.of(target.name),
        debit: ports.debit,
        budgets: ports.budgets,
        ask: ports.ask,
        lease: async ({ signal }) => {
          const release = await ports.leases.take(target, describeChain(chain), signal);
          try {
            return { credential: await ports.credential(target.name, role), release };
          } catch (thrown) {
            release();
            throw thrown;
          }
        },
        hasher: (label) => ports.hasher(principal, label),
        ended: async ({ id: ended, stopping }, cause) => {
          ports.registry.remove(ended);
          if (stopping !== undefined) ports.measures.ending.add(stopping);
          await Promise.allSettled([
            witness.ended(cause),
            ports.directory.ended(ended, ports.clock.now(), cause, witness.totals),
          ]);
        },
      },
    );
    // Registered before it is recorded: a revocation that comes in between must find it.
    ports.registry.add(session, strikables);
    const struck = ports.revocations.struck(strikables);
    if (struck !== undefined) session.stop(endingOf(struck));
    try {
      const client = greeting.client ?? null;
      await witness.started({
        mode: target.mode,
        binding,
        address: origin.address,
        confidential: origin.confidential,
        client,
      });
      await ports.directory.opened({
        id,
        node: ports.node,
        worker: ports.worker,
        target: target.name,
        database,
        role,
        grant: currentOf(chain).id,
        chainIds: idsOf(strikables),
        chain: describeChain(chain),
        detail: {
          binding,
          agents: agentsOf(chain).map(({ id: agent, name, assurance }) => ({ id: agent, name, assurance })),
        },
        startedAt: ports.clock.now(),
        client: greeting.client,
        address: origin.address,
      });
    } catch (thrown) {
      await session.end('could not be recorded');
      throw thrown;
    }
    return session;
  }

  async #refused(greeting: Greeting, denial: Denial): Promise<void> {
    const { evidence, clock } = this.#ports;
    const { chain } = greeting.login;
    await evidence.audit({
      v: 1,
      type: 'session.refused',
      at: new Date(clock.now()).toISOString(),
      grant: currentOf(chain).id,
      principal: rootOf(chain).principal.id,
      chain: describeChain(chain),
      target: greeting.target,
      database: greeting.database ?? null,
      address: greeting.origin.address,
      reason: denial.reason,
      message: denial.message,
      policies: [...denial.policies],
    });
  }
}

/** The same words for a target that does not exist and for one that nothing opens: a list of names is worth keeping. */
function closed(greeting: Greeting): Denial {
  const name = greeting.database === undefined ? greeting.target : `${greeting.target}.${greeting.database}`;
  return deny('no-permit', `there is no target "${name}" that is open to you`, {
    hint: '"sallyport targets" lists those that are; the database name in the connection is <target> or <target>.<database>',
  });
}

function asRefusal(decision: Decision, greeting: Greeting): Denial | undefined {
  switch (decision.effect) {
    case 'permit':
      return undefined;
    case 'hold':
      return deny('approval-required', decision.message, { policies: decision.policies });
    case 'deny':
      return decision.reason === 'no-permit' ? closed(greeting) : decision;
  }
}

const TAG_BYTES = 63; // NAMEDATALEN - 1, the longest application_name

function tagOf(greeting: Greeting): string {
  const { chain } = greeting.login;
  const who = agentsOf(chain).at(-1)?.name ?? rootOf(chain).principal.name;
  const plain = who.replace(/[^\x20-\x7e]/g, '?');
  return `sallyport:${currentOf(chain).id.slice(0, 8)}:${plain}`.slice(0, TAG_BYTES);
}
