/**
 * The most a policy may cost in nesting. The engine's own stack gives way at some 100 brackets or 200 links of one
 * chain, and an engine that gave way answers nothing any more, so deeper text never reaches it.
 */
const MOST = 150;
const BRACKET = 3;
/** `&&` and `||`: flat for the engine, but nested in the tree it hands out. */
const MOST_JOINS = 500;

/**
 * Whether a policy is nested so deeply that the engine might not survive it. Counts brackets, and the operators that
 * nest to the left or right (`.`, `+`, `-`, `*`, and every `if`); a `&&`, `||` or
 * comma begins a new chain.
 */
export function tooDeep(policy: string): boolean {
  /** Links of the chain being read, at each open bracket, the policy itself first. */
  const chains = [0];
  let links = 0;
  let ifs = 0;
  let joins = 0;
  for (const [token] of policy.matchAll(TOKENS)) {
    const here = chains.length - 1;
    if (OPENING.has(token)) chains.push(0);
    else if (CLOSING.has(token)) links -= chains.pop() ?? 0;
    else if (LINKS.has(token)) {
      links += 1;
      chains[here] = (chains[here] ?? 0) + 1;
    } else if (SEPARATORS.has(token)) {
      if (token !== ',') joins += 1;
      links -= chains[here] ?? 0;
      chains[here] = 0;
    } else if (token === 'if') ifs += 1;
    // Closed more than it opened: no policy, and no business of the engine's.
    if (chains.length === 0 || joins > MOST_JOINS) return true;
    if (BRACKET * (chains.length - 1) + links + ifs > MOST) return true;
  }
  return false;
}

const OPENING = new Set(['(', '[', '{']);
const CLOSING = new Set([')', ']', '}']);
const SEPARATORS = new Set(['&&', '||', ',']);
const LINKS = new Set(['.', '+', '-', '*']);
/** Strings and comments first, so that what is inside them counts for nothing. */
const TOKENS = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|&&|\|\||\bif\b|[()[\]{},.+*-]/gs;
