import type { Mask } from '../core/obligation.ts';
import { copyBytes } from './copy-bytes.ts';
import type { Masker } from './masker.ts';
import { kindOf, type ResultField } from './types.ts';

/** What stands in the place of what is masked in a JSON text. */
export const JSON_IMAGE = '"***"';

type PathMask = Pick<Mask, 'style' | 'path'>;

/** Masks by their keys: what lies at a node with an image is masked. */
interface Node {
  readonly next: Map<string, Node>;
  /** The keys of `next` as they mostly stand in a text. */
  readonly keys: (readonly [bytes: Uint8Array, next: Node])[];
  image: Uint8Array | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Deeper than any honest document; what is deeper is covered as a whole. */
const DEEPEST = 200;

/**
 * Covers what lies at the paths of json and jsonb values, every time a key occurs and however it is spelled. An array
 * on the way stands for each of its elements, and digits in a path for one of them. `otherwise` covers what is no JSON.
 * Undefined for fields of other types.
 */
export function jsonPathMask(field: ResultField, masks: readonly PathMask[], otherwise: Masker): Masker | undefined {
  const kind = kindOf(field.type);
  if (kind !== 'json' && kind !== 'jsonb') return undefined;
  const root = newNode();
  for (const { path = [], style } of masks) {
    let node = root;
    for (const key of path) node = node.next.get(key) ?? add(node, key);
    node.image = encoder.encode(style === 'null' ? 'null' : JSON_IMAGE);
  }
  const version = kind === 'jsonb' && field.format === 1 ? 1 : 0;
  return {
    // The shortest value of all, `1,`, becomes `"***",`.
    most: (length) => Math.max(3 * length + JSON_IMAGE.length, otherwise.most(length)),
    mask: (from, start, end, to, at) => {
      const walk = new Walk(
        from,
        { start: start + version, end },
        { to, at: copyBytes(from, start, start + version, to, at) },
      );
      const written = walk.document([root]);
      return written === undefined ? otherwise.mask(from, start, end, to, at) : written - at;
    },
  };
}

function newNode(): Node {
  return { next: new Map(), keys: [], image: undefined };
}

function add(node: Node, key: string): Node {
  const next = newNode();
  node.next.set(key, next);
  node.keys.push([encoder.encode(key), next]);
  return next;
}

const NONE: readonly Node[] = [];
const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, BEGIN, END] = [0x22, 0x5c, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d];

class Walk {
  readonly #from: Uint8Array;
  readonly #end: number;
  readonly #to: Uint8Array;
  #in: number;
  #copied: number;
  #out: number;

  constructor(
    from: Uint8Array,
    { start, end }: { readonly start: number; readonly end: number },
    { to, at }: { readonly to: Uint8Array; readonly at: number },
  ) {
    this.#from = from;
    this.#end = end;
    this.#to = to;
    this.#in = start;
    this.#copied = start;
    this.#out = at;
  }

  /** Where what was written ends; undefined when this is no JSON. */
  document(nodes: readonly Node[]): number | undefined {
    if (!this.#value(nodes, 0)) return undefined;
    this.#space();
    if (this.#in !== this.#end) return undefined;
    return copyBytes(this.#from, this.#copied, this.#end, this.#to, this.#out);
  }

  #value(nodes: readonly Node[], depth: number): boolean {
    if (depth > DEEPEST) return false;
    this.#space();
    const image = nodes.length === 0 ? undefined : nodes.find((node) => node.image)?.image;
    if (image) {
      this.#out = copyBytes(this.#from, this.#copied, this.#in, this.#to, this.#out);
      this.#to.set(image, this.#out);
      this.#out += image.length;
      if (!this.#value(NONE, depth)) return false;
      this.#copied = this.#in;
      return true;
    }
    switch (this.#from[this.#in]) {
      case BEGIN:
        return this.#members(nodes, depth);
      case OPEN:
        return this.#elements(nodes, depth);
      case QUOTE:
        return this.#string() !== undefined;
      default:
        return this.#scalar();
    }
  }

  #members(nodes: readonly Node[], depth: number): boolean {
    return this.#list(END, () => {
      const from = this.#in;
      const plain = this.#string();
      if (plain === undefined) return false;
      const under = nodes.length === 0 ? NONE : this.#under(nodes, { from, to: this.#in, plain });
      this.#space();
      if (under === undefined || this.#from[this.#in++] !== COLON) return false;
      return this.#value(under, depth + 1);
    });
  }

  /** What is masked under a key, which stands in the text with its quotes; undefined when it is no string. */
  #under(
    nodes: readonly Node[],
    { from, to, plain }: { readonly from: number; readonly to: number; readonly plain: boolean },
  ): readonly Node[] | undefined {
    if (plain) {
      let found: Node[] | undefined;
      for (const node of nodes) {
        for (const [bytes, next] of node.keys) {
          if (bytes.length === to - from - 2 && this.#stands(bytes, from + 1)) found = [...(found ?? []), next];
        }
      }
      return found ?? NONE;
    }
    const key = stringOf(this.#from.subarray(from, to));
    return key === undefined ? undefined : nodes.flatMap((node) => node.next.get(key) ?? []);
  }

  #stands(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== this.#from[at + i]) return false;
    return true;
  }

  #elements(nodes: readonly Node[], depth: number): boolean {
    let index = 0;
    return this.#list(CLOSE, () => {
      if (nodes.length === 0) return this.#value(NONE, depth + 1);
      const at = String(index++);
      const here = nodes.flatMap((node) => node.next.get(at) ?? []);
      // Each once: else arrays in arrays would double them level by level.
      return this.#value(here.length === 0 ? nodes : [...new Set([...nodes, ...here])], depth + 1);
    });
  }

  #list(close: number | undefined, one: () => boolean): boolean {
    this.#in += 1;
    this.#space();
    if (this.#from[this.#in] === close) {
      this.#in += 1;
      return true;
    }
    for (;;) {
      this.#space();
      if (!one()) return false;
      this.#space();
      const byte = this.#in < this.#end ? this.#from[this.#in++] : undefined;
      if (byte === close) return true;
      if (byte !== COMMA) return false;
    }
  }

  /** Whether the string has no escapes; undefined when there is none. */
  #string(): boolean | undefined {
    if (this.#from[this.#in] !== QUOTE) return undefined;
    let plain = true;
    for (let at = this.#in + 1; at < this.#end; at++) {
      const byte = this.#from[at];
      if (byte === BACKSLASH) {
        plain = false;
        at += 1;
      } else if (byte === QUOTE) {
        this.#in = at + 1;
        return plain;
      }
    }
    return undefined;
  }

  #scalar(): boolean {
    const from = this.#in;
    while (this.#in < this.#end && !isDelimiter(this.#from[this.#in] ?? 0)) this.#in += 1;
    return this.#in > from;
  }

  #space(): void {
    while (this.#in < this.#end && isSpace(this.#from[this.#in] ?? 0)) this.#in += 1;
  }
}

/** As JSON has it: 1 for a space, 2 for what ends a number or word otherwise. */
const CLASS = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0a, 0x0d]) CLASS[byte] = 1;
for (const byte of [COMMA, COLON, OPEN, CLOSE, BEGIN, END, QUOTE]) CLASS[byte ?? 0] = 2;

function isSpace(byte: number): boolean {
  return CLASS[byte] === 1;
}

function isDelimiter(byte: number): boolean {
  return CLASS[byte] !== 0;
}

function stringOf(quoted: Uint8Array): string | undefined {
  try {
    const text: unknown = JSON.parse(decoder.decode(quoted));
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
