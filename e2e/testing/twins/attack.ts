import type { Attempt } from './attempts.ts';
import type { Protocol, Session } from './session.ts';
import { labelledOf, rowsOf, structureOf, unlabelledOf, writtenOf } from './state.ts';
import { CANARY, SIDES, type Side, type Twins } from './world.ts';

/** Leaves nothing behind in a session. */
const READS = /^\(*(select|with|values|table|update|insert|delete|merge)\b(?!.*;)(?!.*set_config)/i;

interface Watched {
  readonly client: Session;
  readonly direct: Session;
}

interface Before {
  readonly structure: string;
  readonly rows: string;
  readonly labelled: ReadonlySet<string>;
}

/** Makes attempts through the gateway, in both twins at once, and says what was wrong with the outcome. */
export class Attacker {
  readonly #twins: Twins;
  readonly #before = new Map<Side, Before>();
  #sides: Record<Side, Watched> | undefined;
  #alive = '';

  constructor(twins: Twins) {
    this.#twins = twins;
  }

  async open(): Promise<void> {
    for (const side of SIDES) {
      const direct = await this.#twins.direct('twin', side);
      this.#before.set(side, {
        structure: await structureOf(direct),
        rows: await rowsOf(direct),
        labelled: await labelledOf(direct),
      });
      direct.close();
    }
    const { a } = await this.#connect();
    this.#alive = await identity(a.client);
  }

  close(): void {
    for (const side of SIDES) {
      this.#sides?.[side].client.close();
      this.#sides?.[side].direct.close();
    }
    this.#sides = undefined;
  }

  async attack(attempt: Attempt, protocol: Protocol): Promise<readonly string[]> {
    const { a, b } = await this.#connect();
    const written = await writtenOf(a.direct);
    const wrong: string[] = [];
    for (const line of attempt.lines) {
      const [left, right] = await Promise.all([a.client.ask(line, protocol), b.client.ask(line, protocol)]);
      const [ours, theirs] = [left.join('\n'), right.join('\n')];
      if (ours !== theirs)
        wrong.push(`${protocol}, the twins differ: ${line}\n${ours.slice(0, 1500)}\n--- but\n${theirs.slice(0, 1500)}`);
      if (CANARY.test(ours) || CANARY.test(theirs))
        wrong.push(`${protocol}, a value shows: ${line}\n${ours.slice(0, 1500)}`);
    }
    const reads = attempt.lines.every((line) => READS.test(line));
    for (const { client } of [a, b]) {
      if (client.status !== 'I') await client.ask('rollback');
      if (reads && !client.closed) continue;
      const who = await identity(client);
      if (who !== this.#alive) wrong.push(`${protocol}, the session is another: ${who}`);
      await client.ask('discard all');
    }
    if ((await writtenOf(a.direct)) !== written) {
      wrong.push(...(await this.#states(a, b)).map((one) => `${protocol}, ${one}`));
    }
    if (wrong.length > 0) this.close();
    return wrong;
  }

  async #states(a: Watched, b: Watched): Promise<string[]> {
    const wrong: string[] = [];
    let dirty = false;
    for (const [side, { direct }] of Object.entries({ a, b }) as [Side, Watched][]) {
      const before = this.#before.get(side);
      const structure = await structureOf(direct);
      if (structure !== before?.structure) {
        wrong.push(`the structure of twin_${side} changed: ${changes(before?.structure ?? '', structure)}`);
      }
      if (structure === before?.structure && (await rowsOf(direct)) === before.rows) continue;
      dirty = true;
      for (const value of await labelledOf(direct)) {
        if (value.replace(/^[^a-z0-9]*/i, '') !== '' && !before?.labelled.has(value))
          wrong.push(`a labelled value was written: ${value}`);
      }
    }
    if (!dirty) return wrong;
    const [ours, theirs] = [await unlabelledOf(a.direct), await unlabelledOf(b.direct)];
    if (ours !== theirs) wrong.push(`what was written differs: ${changes(ours, theirs)}`);
    this.close();
    for (const side of SIDES) await this.#twins.restore('twin', side);
    if (wrong.length > 0) await this.#twins.tidy();
    return wrong;
  }

  async #connect(): Promise<Record<Side, Watched>> {
    const known = this.#sides;
    if (known !== undefined && SIDES.every((side) => !known[side].client.closed && !known[side].direct.closed))
      return known;
    this.close();
    const watch = async (side: Side): Promise<Watched> => ({
      client: await this.#twins.through(side),
      direct: await this.#twins.direct('twin', side),
    });
    this.#sides = { a: await watch('a'), b: await watch('b') };
    return this.#sides;
  }
}

async function identity(client: Session): Promise<string> {
  const told = await client.ask('select current_user, session_user, 1 as alive');
  return told.filter((one) => one.startsWith('D ') || one === 'closed').join('\n');
}

function changes(before: string, after: string): string {
  const known = new Set(before.split('\n'));
  return after
    .split('\n')
    .filter((line) => !known.has(line))
    .join('; ')
    .slice(0, 500);
}
