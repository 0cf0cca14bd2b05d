import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Path } from './problem.ts';

// The one place that knows the YAML library.

/** Bounds for a file that a person wrote: far above what anybody needs, far below what hurts. */
const MAX_BYTES = 1 << 20;
const MAX_NODES = 50_000;
const MAX_DEPTH = 16;

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Document {
  /** Plain data: null, booleans, numbers, strings, arrays, objects. Undefined when the text is not YAML. */
  readonly value: unknown;
  /** Where the value at `path` stands; for a path that is not there, the nearest thing above it. */
  at(path: Path): Position;
  /** Where the key itself stands. */
  keyAt(path: Path): Position;
  readonly errors: readonly (Position & { readonly message: string })[];
}

interface Places {
  readonly keys: Map<string, number>;
  readonly values: Map<string, number>;
}

class Refusal extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Reads one YAML document. Aliases are followed, but what they unfold to counts against the limits. */
export function readDocument(text: string): Document {
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line > 0 ? { line, column: col } : { line: 1, column: 1 };
  };
  const places: Places = { keys: new Map(), values: new Map() };
  const broken = (message: string, offset: number): Document => ({
    value: undefined,
    at: () => position(offset),
    keyAt: () => position(offset),
    errors: [{ ...position(offset), message }],
  });

  if (text.length > MAX_BYTES) return broken(`is longer than ${MAX_BYTES} characters`, 0);
  const parsed = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, merge: false });
  const errors = [...parsed.errors, ...parsed.warnings].map(({ pos, code, message }) => ({
    ...position(pos[0]),
    message: code === 'DUPLICATE_KEY' ? 'this key stands twice' : lowerFirst(message),
  }));
  if (errors.length > 0) return { ...broken('', 0), errors };

  let nodes = 0;
  const convert = (node: Node | null, path: Path): unknown => {
    const offset = node?.range?.[0] ?? 0;
    nodes += 1;
    if (nodes > MAX_NODES) throw new Refusal(`has more than ${MAX_NODES} values`, offset);
    if (path.length > MAX_DEPTH) throw new Refusal(`is nested deeper than ${MAX_DEPTH} levels`, offset);
    if (!places.values.has(keyOf(path))) places.values.set(keyOf(path), offset);
    if (isAlias(node)) {
      const target = node.resolve(parsed);
      if (!target) throw new Refusal(`nothing is anchored as ${node.source}`, offset);
      return convert(target, path);
    }
    if (isMap(node)) return Object.fromEntries(node.items.map((pair) => entry(pair, path, offset)));
    if (isSeq(node)) return node.items.map((item, index) => convert(item as Node | null, [...path, index]));
    return isScalar(node) ? node.value : null;
  };
  const entry = (pair: Pair, path: Path, offset: number): [string, unknown] => {
    if (!isScalar(pair.key)) throw new Refusal('a key must be a plain word', offset);
    const inner = [...path, String(pair.key.value)];
    places.keys.set(keyOf(inner), pair.key.range?.[0] ?? offset);
    // A key without a value stands where its key stands.
    if (pair.value === null) places.values.set(keyOf(inner), pair.key.range?.[0] ?? offset);
    return [String(pair.key.value), convert(pair.value as Node | null, inner)];
  };

  try {
    const value = convert(parsed.contents, []);
    const nearest = (from: Map<string, number>, path: Path): Position => {
      for (let length = path.length; length >= 0; length--) {
        const inner = path.slice(0, length);
        const offset = (length === path.length ? from : places.values).get(keyOf(inner));
        if (offset !== undefined) return position(offset);
      }
      return position(0);
    };
    return {
      value,
      at: (path) => nearest(places.values, path),
      keyAt: (path) => nearest(places.keys, path),
      errors: [],
    };
  } catch (thrown) {
    if (thrown instanceof Refusal) return broken(thrown.message, thrown.offset);
    throw thrown;
  }
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
