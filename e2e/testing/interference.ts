import fc from 'fast-check';
import { type Generated, generate } from './generate/statements.ts';
import type { Protocol, Session } from './twins/session.ts';
import { CANARY, SIDES, type Side, type Twins } from './twins/world.ts';

export interface Tally {
  cases: number;
  permitted: number;
  /** Told the twins apart. */
  told: number;
}

const NUMBERS = fc.noBias(fc.array(fc.nat({ max: 0xffff }), { minLength: 24, maxLength: 120, size: 'max' }));

/** Asks generated statements through the gateway until one tells the twins apart, which it throws, made small. */
export async function withoutInterference(twins: Twins, cases: number, milliseconds: number): Promise<Tally> {
  const observer = new Observer((side) => twins.through(side));
  const tally = { cases: 0, permitted: 0, told: 0 };
  const property = fc.asyncProperty(NUMBERS, fc.constantFrom('simple', 'extended'), async (numbers, protocol) => {
    const { permitted, wrong } = await observer.observe(generate(numbers), protocol);
    tally.cases += 1;
    if (permitted) tally.permitted += 1;
    if (wrong.length > 0) throw new Error(wrong.join('\n\n'));
  });
  try {
    await fc.assert(property, { numRuns: cases, interruptAfterTimeLimit: milliseconds });
  } finally {
    observer.close();
  }
  return tally;
}

/** The same where no gateway is in the way. */
export async function withInterference(twins: Twins, cases: number): Promise<Tally> {
  const observer = new Observer((side) => twins.direct('proof', side));
  const tally = { cases: 0, permitted: 0, told: 0 };
  for (const numbers of fc.sample(NUMBERS, cases)) {
    const { wrong } = await observer.observe(generate(numbers), 'simple');
    tally.cases += 1;
    if (wrong.length > 0) tally.told += 1;
  }
  observer.close();
  return tally;
}

interface Outcome {
  /** Nothing was refused for want of a right. */
  readonly permitted: boolean;
  /** What tells the twins apart; empty where nothing does. */
  readonly wrong: readonly string[];
}

/** Asks both twins the same and looks whether the answers could be told apart. */
class Observer {
  readonly #open: (side: Side) => Promise<Session>;
  #sessions: readonly Session[] = [];

  constructor(open: (side: Side) => Promise<Session>) {
    this.#open = open;
  }

  async observe({ lines, transaction }: Generated, protocol: Protocol): Promise<Outcome> {
    const sessions = await this.#connect();
    const all = transaction ? ['begin', ...lines, 'rollback', 'deallocate all'] : lines;
    const answers = await Promise.all(sessions.map((session) => answersOf(session, all, protocol)));
    const [ours = [], theirs = []] = answers;
    const wrong = all.flatMap((_, index) => {
      const [left, right] = [ours[index] ?? [], theirs[index] ?? []];
      const said = `${protocol}: ${all.slice(0, index + 1).join(';\n')}\n${left.slice(0, 12).join('\n')}\n--- and\n${right.slice(0, 12).join('\n')}`;
      if (left.join('\n') !== right.join('\n')) return [`the twins differ, ${said}`];
      return CANARY.test(left.join('\n')) ? [`a value shows, ${said}`] : [];
    });
    if (sessions.some((session) => session.closed || session.status !== 'I')) {
      wrong.push(`the session did not go on: ${all.join('; ')}`);
      this.close();
    }
    return { permitted: !ours.flat().some((line) => /^E .* C=42501 /.test(line)), wrong };
  }

  close(): void {
    for (const session of this.#sessions) session.close();
    this.#sessions = [];
  }

  async #connect(): Promise<readonly Session[]> {
    if (this.#sessions.length === 0) {
      this.#sessions = await Promise.all(SIDES.map(this.#open));
    }
    return this.#sessions;
  }
}

async function answersOf(session: Session, lines: readonly string[], protocol: Protocol): Promise<string[][]> {
  const answers: string[][] = [];
  for (const line of lines) {
    const told = await session.ask(line, protocol);
    answers.push(line.startsWith('explain') ? told.map(planned) : inAnyOrder(line, told));
  }
  return answers;
}

/** Without the length of the line. */
function planned(told: string): string {
  return told.replace(/^D .{6}/s, 'D ');
}

/** Rows without a total order come as the server met them. */
function inAnyOrder(line: string, answer: readonly string[]): string[] {
  if (/order by \w+\.id( desc)?( limit| offset| fetch|$)/.test(line)) return [...answer];
  const rows = answer.filter((one) => /^[Dd] /.test(one)).toSorted();
  return answer.map((one) => (/^[Dd] /.test(one) ? (rows.shift() ?? '') : one));
}
