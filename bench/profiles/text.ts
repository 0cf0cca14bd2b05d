import {
  chargedByFunction,
  chargedByRoom,
  type Folded,
  longest,
  type Share,
  selfByFunction,
  selfByRoom,
  total,
  totalByRoom,
} from './folded.ts';

export interface Profiled {
  readonly at: string;
  readonly title: string;
  readonly target: string;
  readonly value: string;
  readonly revision: string;
  /** What there is of each process, and how long it had nothing to do, in microseconds. */
  readonly processes: readonly { readonly name: string; readonly busy: number; readonly idle: number }[];
  readonly folded: Folded;
}

const FUNCTIONS = 40;
const STACKS = 60;

/** A profile as text: rooms, functions, and the stacks that took longest, in the form flame graph tools read. */
export function textOf({ at, title, target, value, revision, processes, folded }: Profiled): string {
  const all = total(folded);
  const stacks = longest(folded);
  const shown = stacks.slice(0, STACKS);
  const covered = shown.reduce((sum, { share }) => sum + share, 0);
  return `${title}
${target}: ${value} while profiled, which costs something itself; revision ${revision}, ${at.slice(0, 16)}
${processes.map(({ name, busy, idle }) => `${name}: busy ${seconds(busy)}, idle ${seconds(idle)}`).join('\n')}
Shares are of the ${seconds(all)} in which something was done.

By room, its own code
${table(selfByRoom(folded))}

By room, with what Node, V8 and packages did for it
${table(chargedByRoom(folded))}

By room, with all it called (adds up to more than all)
${table(totalByRoom(folded).slice(0, FUNCTIONS))}

By our function, with what Node, V8 and packages did for it
${table(chargedByFunction(folded).slice(0, FUNCTIONS))}

By function, its own code
${table(selfByFunction(folded).slice(0, FUNCTIONS))}

The ${shown.length} longest of ${stacks.length} stacks, ${percent(covered)} of the time (root first; microseconds)
${shown.map(({ name, micros }) => `${name} ${Math.round(micros)}`).join('\n')}
`;
}

function table(shares: readonly Share[]): string {
  return shares.map(({ name, micros, share }) => `${percent(share)} ${seconds(micros)}  ${name}`).join('\n');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} %`;
}

function seconds(micros: number): string {
  return `${(micros / 1e6).toFixed(3).padStart(7)} s`;
}
