import type { Attempt } from './attempts.ts';
import type { Session } from './session.ts';
import { ownState, stateOf, writtenOf } from './state.ts';
import { CANARY, SIDES, type Side, type Twins } from './world.ts';

/** What an attempt does where no gateway stands in its way. */
export type Proof = 'tells' | 'takes effect' | undefined;

/** Statements that end or refuse a transaction, so that it cannot undo what is done. */
const LOOSE =
  /^\s*(begin|start|commit|end\b|rollback|abort|vacuum|alter system|create database|drop database|create tablespace|cluster|prepare transaction|listen|unlisten|notify|discard|call)|with hold|terminate_backend|concurrently|replication_slot|pg_notify|lo_export|pg_switch_wal|set_config|^set /i;

/** What belongs to the whole server is locked until the transaction is over: one twin after the other. */
const SHARED = /\b(role|user|database|keeper|parameter)\b|replication_origin/i;

interface Contained {
  readonly told: readonly string[];
  readonly settle: (look: boolean) => Promise<boolean>;
}

interface Outcome {
  readonly told: readonly string[];
  readonly changed: boolean;
}

/** Runs attempts directly, one after the other, and undoes them. */
export class Prover {
  readonly #twins: Twins;
  readonly #sessions = new Map<Side, Session>();
  readonly #before = new Map<Side, string>();
  #own = '';

  constructor(twins: Twins) {
    this.#twins = twins;
  }

  async open(): Promise<void> {
    for (const side of SIDES) this.#before.set(side, await stateOf(await this.#session(side)));
    this.#own = await ownState(await this.#session('a'));
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
  }

  async prove(attempt: Attempt): Promise<Proof> {
    if (attempt.lines.some((line) => LOOSE.test(line))) {
      const [a, b] = [await this.#loose(attempt, 'a'), await this.#loose(attempt, 'b')];
      return verdict(a.told, b.told, a.changed || b.changed);
    }
    if (attempt.lines.some((line) => SHARED.test(line))) {
      const [a, b] = [await this.#alone(attempt, 'a'), await this.#alone(attempt, 'b')];
      return verdict(a.told, b.told, a.changed || b.changed);
    }
    const [a, b] = await Promise.all([this.#contained(attempt, 'a'), this.#contained(attempt, 'b')]);
    const plain = verdict(a.told, b.told, false);
    const [left, right] = await Promise.all([a.settle(plain === undefined), b.settle(plain === undefined)]);
    return verdict(a.told, b.told, left || right);
  }

  async #alone(attempt: Attempt, side: Side): Promise<Outcome> {
    const { told, settle } = await this.#contained(attempt, side);
    return { told, changed: await settle(true) };
  }

  /** In a transaction, which `settle` takes back; asked to look, it says whether anything had changed. */
  async #contained(attempt: Attempt, side: Side): Promise<Contained> {
    const session = await this.#session(side);
    const written = await writtenOf(session);
    await session.ask('begin');
    const told: string[] = [];
    for (const line of attempt.lines) {
      await session.ask('savepoint one');
      told.push(...(await session.ask(line)));
      if (session.closed) return { told, settle: async () => true };
      await session.ask(session.status === 'E' ? 'rollback to one' : 'release one');
    }
    return { told, settle: (look) => this.#settle(session, side, written, look) };
  }

  async #settle(session: Session, side: Side, written: string, look: boolean): Promise<boolean> {
    const own = look && (await ownState(session)) !== this.#own;
    if (look) await session.ask('reset all');
    const wrote = (await writtenOf(session)) !== written;
    const changed = look && wrote && (await this.#changed(session, side));
    await session.ask('rollback');
    await session.ask('deallocate all; select pg_catalog.pg_advisory_unlock_all()');
    // Sequences do not go back.
    if (wrote && (await this.#changed(session, side))) await this.#undo(side);
    return own || changed;
  }

  /** Outside of a transaction; undone by making the database anew. */
  async #loose(attempt: Attempt, side: Side): Promise<Outcome> {
    const session = await this.#session(side);
    const written = await writtenOf(session);
    const told: string[] = [];
    for (const line of attempt.lines) {
      if (!session.closed) told.push(...(await session.ask(line)));
    }
    if (session.closed) return { told, changed: true };
    await session.ask('rollback');
    const own = (await ownState(session)) !== this.#own;
    session.close();
    const fresh = await this.#fresh(side);
    const changed = (await writtenOf(fresh)) !== written && (await this.#changed(fresh, side));
    if (changed) await this.#undo(side);
    return { told, changed: own || changed };
  }

  async #changed(session: Session, side: Side): Promise<boolean> {
    return (await stateOf(session)) !== this.#before.get(side);
  }

  async #undo(side: Side): Promise<void> {
    await this.#twins.tidy();
    await this.#twins.restore('proof', side);
    if ((await stateOf(await this.#fresh(side))) !== this.#before.get(side)) {
      throw new Error(`what was done could not be undone in proof_${side}`);
    }
  }

  async #session(side: Side): Promise<Session> {
    const known = this.#sessions.get(side);
    return known === undefined || known.closed ? await this.#fresh(side) : known;
  }

  async #fresh(side: Side): Promise<Session> {
    this.#sessions.get(side)?.close();
    const session = await this.#twins.direct('proof', side);
    this.#sessions.set(side, session);
    return session;
  }
}

function verdict(a: readonly string[], b: readonly string[], changed: boolean): Proof {
  const [ours, theirs] = [a.join('\n'), b.join('\n')];
  if (ours !== theirs || CANARY.test(ours)) return 'tells';
  return changed ? 'takes effect' : undefined;
}
