import { Fault } from '../../core/fault.ts';
import type { AdoptionPorts, RoleConnection } from './ports.ts';
import type { AdoptedRole, AdoptionRecord, AdoptionRecords, Kept, Next, Password } from './record.ts';

/** Milliseconds after which an attempt that left its mark has died. */
const DEAD_AFTER = 60_000;

export interface Adopted {
  /** The server lets the old password in still: it does not check passwords of this role. */
  readonly oldStillWorks: boolean;
}

/**
 * `restored`: the old password works, and the configuration says it. `kept`: it works, and stays sealed, since the
 * configuration says another or none. `stale`: somebody had changed the password by hand to what the configuration says.
 */
export type Undone = 'restored' | 'kept' | 'stale';

/**
 * Changes the password of a role at its server so that there is a way in at every moment. Both passwords are sealed
 * before the server is asked, and at the server there is one change, which is done or not done: whoever finds an attempt
 * that died tries both. Of two at the same time one gets Fault CONFLICT: the record is changed only from what was read.
 */
export class Adoption {
  readonly #role: AdoptedRole;
  readonly #records: AdoptionRecords;
  readonly #ports: AdoptionPorts;

  constructor(role: AdoptedRole, records: AdoptionRecords, ports: AdoptionPorts) {
    this.#role = role;
    this.#records = records;
    this.#ports = ports;
  }

  /** Finishes an adoption that died half-way, where there is one; else takes the password over, once more if need be. */
  async adopt(by: string): Promise<Adopted> {
    const { kept, finished } = await this.#settled(by);
    if (finished === 'adopt') return await this.#adopted(kept);
    const { current, connection } = await this.#way(kept);
    const done = await this.#exchange({ kept, connection, current, to: this.#ports.newPassword(), doing: 'adopt', by });
    return await this.#adopted(done);
  }

  async undo(by: string): Promise<Undone> {
    const { kept, finished } = await this.#settled(by);
    if (finished === 'undo') return kept === undefined ? 'restored' : 'kept';
    if (kept === undefined) throw new Fault('NOT_FOUND', 'the password of this role was not adopted');
    const { record } = kept;
    const connection = await this.#ports.server.logIn(record.password);
    if (connection === undefined) return await this.#stale(kept);
    if (record.old === undefined) {
      await connection.close();
      throw new Fault('CONFLICT', 'the password it had before was forgotten: there is no way back');
    }
    const to = record.old.password;
    const done = await this.#exchange({ kept, connection, current: record, to, doing: 'undo', by });
    return done === undefined ? 'restored' : 'kept';
  }

  /** Gives up the way back. False when there was none. */
  async forget(by: string): Promise<boolean> {
    const { kept } = await this.#settled(by);
    if (kept?.record.old === undefined) return false;
    const { old: _old, ...record } = kept.record;
    await this.#records.change(this.#role, kept, { ...record, at: this.#ports.now(), by });
    return true;
  }

  async #adopted(kept: Kept | undefined): Promise<Adopted> {
    const old = kept?.record.old;
    return { oldStillWorks: old !== undefined && (await this.#works(old.password)) };
  }

  /** Finds out what became of an attempt that died. Throws Fault CONFLICT where it may be alive. */
  async #settled(by: string): Promise<Settled> {
    const kept = await this.#records.get(this.#role);
    const next = kept?.record.next;
    if (kept === undefined || next === undefined) return { kept, finished: undefined };
    if (this.#ports.now() - next.since < DEAD_AFTER)
      throw new Fault('CONFLICT', 'somebody is changing this password; if the attempt died, try again in a minute');
    const connection = await this.#ports.server.logIn(next.password);
    if (connection === undefined) {
      if (!(await this.#works(kept.record.password))) throw noWay();
      return { kept: await this.#change(kept, withoutNext(kept.record, next)), finished: undefined };
    }
    try {
      // A server that does not check passwords lets any in: so it is set once more.
      await this.#set(connection, next.password);
    } finally {
      await connection.close();
    }
    return { kept: await this.#change(kept, await this.#after(kept.record, next, by)), finished: next.doing };
  }

  /** What logs in now: what is sealed, or what the configuration says where somebody changed it by hand. */
  async #way(kept: Kept | undefined): Promise<{ readonly current: Password; readonly connection: RoleConnection }> {
    const { server, configured } = this.#ports;
    const sealed = kept && (await server.logIn(kept.record.password));
    if (kept && sealed) return { current: kept.record, connection: sealed };
    const current = await configured();
    if (current === undefined && kept === undefined)
      throw new Fault('CONFIG_INVALID', 'the credential of this target has no password that could be taken over');
    const connection = current && (await server.logIn(current.password));
    if (current === undefined || connection === undefined) throw noWay();
    return { current, connection };
  }

  async #stale(kept: Kept): Promise<'stale'> {
    const configured = await this.#ports.configured();
    if (configured === undefined || !(await this.#works(configured.password))) throw noWay();
    await this.#change(kept, undefined);
    return 'stale';
  }

  async #exchange({ kept, connection, current, to, doing, by }: Exchange): Promise<Kept | undefined> {
    const { server, now, drain } = this.#ports;
    try {
      const { password, from } = current;
      const next: Next = { password: to, doing, since: now(), first: kept === undefined };
      const { old } = kept?.record ?? {};
      const record = { password, from, next, ...(old ? { old } : {}), at: next.since, by };
      const pending = await this.#change(kept, record);
      await drain();
      // Whoever takes this attempt for dead must be right.
      if (now() - next.since > DEAD_AFTER / 2) throw new Fault('ABORTED', 'this took too long; try again in a minute');
      const answer = await connection.setVerifier(await this.#ports.verifier(to));
      if (answer !== 'set') {
        await this.#change(pending, kept?.record);
        throw refused(answer.refused);
      }
      const fresh = await server.logIn(to);
      if (fresh === undefined) {
        await this.#set(connection, password);
        await this.#change(pending, kept?.record);
        throw new Fault('CONFLICT', 'the server took the new password and then refused it; the one before is back');
      }
      await fresh.close();
      return await this.#change(pending, await this.#after(record, next, by));
    } finally {
      await connection.close();
    }
  }

  /** The record when `next` is in force; undefined where the configuration says all there is to say. */
  async #after(record: AdoptionRecord, next: Next, by: string): Promise<AdoptionRecord | undefined> {
    const at = this.#ports.now();
    if (next.doing === 'adopt') {
      const old = { password: record.password, from: record.from };
      return { password: next.password, from: 'sealed', old, at, by };
    }
    const configured = await this.#ports.configured();
    if (configured?.password === next.password) return undefined;
    return { password: next.password, from: record.old?.from ?? 'sealed', at, by };
  }

  async #set(connection: RoleConnection, password: string): Promise<void> {
    const answer = await connection.setVerifier(await this.#ports.verifier(password));
    if (answer !== 'set') throw refused(answer.refused);
  }

  #change(from: Kept | undefined, to: AdoptionRecord | undefined): Promise<Kept | undefined> {
    return this.#records.change(this.#role, from, to);
  }

  async #works(password: string): Promise<boolean> {
    const connection = await this.#ports.server.logIn(password);
    await connection?.close();
    return connection !== undefined;
  }
}

interface Settled {
  readonly kept: Kept | undefined;
  /** What an attempt that had died had got through with. */
  readonly finished: Next['doing'] | undefined;
}

interface Exchange {
  readonly kept: Kept | undefined;
  /** Logged in with `current`; closed at the end. */
  readonly connection: RoleConnection;
  readonly current: Password;
  readonly to: string;
  readonly doing: Next['doing'];
  readonly by: string;
}

function withoutNext({ next: _next, ...record }: AdoptionRecord, { first }: Next): AdoptionRecord | undefined {
  return first ? undefined : record;
}

function refused(why: string): Fault {
  return new Fault('CONFLICT', `the server does not let this role change its password: ${why}`);
}

function noWay(): Fault {
  return new Fault(
    'CONFLICT',
    'the server refuses every password the gateway has for this role: give it one by hand, and say it in the configuration',
  );
}
