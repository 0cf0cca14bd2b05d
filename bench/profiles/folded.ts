/** Microseconds by stack: frames joined by `;`, root first, as flame graph tools read it. */
export type Folded = ReadonlyMap<string, number>;

export interface Share {
  readonly name: string;
  readonly micros: number;
  /** Of all there is. */
  readonly share: number;
}

/** One profile of several processes or runs. */
export function merge(all: readonly Folded[]): Folded {
  const merged = new Map<string, number>();
  for (const each of all) {
    for (const [stack, micros] of each) merged.set(stack, (merged.get(stack) ?? 0) + micros);
  }
  return merged;
}

/** The same with a frame below all others: which process it was. */
export function below(root: string, folded: Folded): Folded {
  return new Map([...folded].map(([stack, micros]) => [`[${root}];${stack}`, micros]));
}

export function total(folded: Folded): number {
  return [...folded.values()].reduce((sum, micros) => sum + micros, 0);
}

/** Time spent in a function itself, longest first. */
export function selfByFunction(folded: Folded): readonly Share[] {
  return sharesBy(folded, (stack) => [leafOf(stack)]);
}

/** Time spent in a folder's own code, longest first. */
export function selfByRoom(folded: Folded): readonly Share[] {
  return sharesBy(folded, (stack) => [roomOf(leafOf(stack))]);
}

/** Time by our own function, with what Node, V8 and packages did for it: who pays for a write is who asked for it. */
export function chargedByFunction(folded: Folded): readonly Share[] {
  return sharesBy(folded, (stack) => [payerOf(stack)]);
}

export function chargedByRoom(folded: Folded): readonly Share[] {
  return sharesBy(folded, (stack) => [roomOf(payerOf(stack))]);
}

/** Time spent in a folder's code and in all that called, our own rooms too, longest first; adds up to more than all. */
export function totalByRoom(folded: Folded): readonly Share[] {
  return sharesBy(folded, (stack) => [...new Set(stack.split(';').filter(isCode).map(roomOf))]);
}

export function longest(folded: Folded): readonly Share[] {
  return sharesBy(folded, (stack) => [stack]);
}

/** The folder a frame belongs to; what V8 and Node do themselves has rooms of its own. */
export function roomOf(frame: string): string {
  const [place = '', name] = frame.split(' ', 2);
  if (frame.startsWith('(')) return frame;
  if (name === undefined) return '(built in)';
  if (place.startsWith('node:')) return 'node';
  if (place.startsWith('npm:')) return place.slice(0, place.lastIndexOf('/'));
  return place.includes('/') ? place.slice(0, place.lastIndexOf('/')) : 'src';
}

/** The frame nearest to the leaf that is ours; the leaf where there is none. */
function payerOf(stack: string): string {
  const ours = (frame: string) => isCode(frame) && !/^(?:\(.*\)|node|npm:.*|wasm)$/.test(roomOf(frame));
  return stack.split(';').findLast(ours) ?? leafOf(stack);
}

/** A frame, and not the name of a process. */
function isCode(frame: string): boolean {
  return !frame.startsWith('[');
}

function leafOf(stack: string): string {
  return stack.slice(stack.lastIndexOf(';') + 1);
}

function sharesBy(folded: Folded, namesOf: (stack: string) => readonly string[]): readonly Share[] {
  const all = total(folded);
  const sums = new Map<string, number>();
  for (const [stack, micros] of folded) {
    for (const name of namesOf(stack)) sums.set(name, (sums.get(name) ?? 0) + micros);
  }
  return [...sums]
    .map(([name, micros]) => ({ name, micros, share: micros / all }))
    .toSorted((a, b) => b.micros - a.micros || a.name.localeCompare(b.name));
}
