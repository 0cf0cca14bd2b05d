import type { Folded } from './folded.ts';

/** What of a .cpuprofile of V8 is read. Times are microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** From when to when what was sampled counts, by the same clock. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const IDLE = '(idle)';

/** Microseconds by stack within a window, and how long there was nothing to do. A sample lasts until the next one. */
export function fold(profile: CpuProfile, { from, to }: Window): { readonly busy: Folded; readonly idle: number } {
  const stacks = stacksOf(profile);
  const busy = new Map<string, number>();
  let idle = 0;
  let at = profile.startTime;
  for (const [i, id] of profile.samples.entries()) {
    at += profile.timeDeltas[i] ?? 0;
    // Now and then V8 takes samples out of order: such a one lasts no time.
    const lasts = Math.max(0, profile.timeDeltas[i + 1] ?? 0);
    if (at < from || at >= to) continue;
    const stack = stacks.get(id) ?? '';
    if (stack === IDLE) idle += lasts;
    else if (lasts > 0) busy.set(stack, (busy.get(stack) ?? 0) + lasts);
  }
  return { busy, idle };
}

/** The stack that each node stands for, root first; the root itself, which all share, is left out. */
function stacksOf({ nodes }: CpuProfile): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  const stacks = new Map<number, string>();
  const open = nodes.filter(({ id }) => !children.has(id)).map((node) => ({ node, above: '' }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, above } = next;
    const isRoot = node.callFrame.functionName === '(root)';
    const stack = isRoot ? '' : above === '' ? frameOf(node) : `${above};${frameOf(node)}`;
    stacks.set(node.id, stack);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) open.push({ node: child, above: stack });
    }
  }
  return stacks;
}

/** `place:line function`; the place is below src/, a module of Node, or a package. No path of a machine is kept. */
function frameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = (functionName === '' ? '(anonymous)' : functionName).replaceAll(';', ',');
  const place = placeOf(url);
  return place === '' ? name : `${place}:${lineNumber + 1} ${name}`;
}

function placeOf(url: string): string {
  if (url.startsWith('node:')) return url.replaceAll(';', ',');
  const [, inPackage] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? [];
  if (inPackage !== undefined) return `npm:${inPackage}/${url.slice(url.lastIndexOf('/') + 1)}`;
  const [, ours] = /\/src\/(.+)$/.exec(url) ?? [];
  return ours ?? (url.startsWith('wasm:') ? 'wasm' : url.slice(url.lastIndexOf('/') + 1));
}
