import { type Action, NAMED_ACTIONS } from '../core/action.ts';
import { type Complaint, countPolicies, type PolicyTree, parsePolicy, type Scope, validatePolicy } from './cedar.ts';
import { tooDeep } from './depth.ts';
import { type Mentions, mentionsOf } from './mentions.ts';
import { SCHEMA } from './schema.ts';
import { indexOfByte, type PolicyText, placeOf, splitPolicies } from './split.ts';

export interface PolicySource {
  readonly name: string;
  readonly text: string;
}

export interface PolicyProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** One policy as the engine uses it. */
export interface Policy {
  readonly id: string;
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  readonly action: Scope;
  readonly resource: Scope;
  /** The rule that lifts this forbid. */
  readonly approval: string | undefined;
  readonly reason: string | undefined;
  readonly mentions: Mentions;
  readonly file: string;
  readonly line: number;
}

export interface LoadedPolicies {
  readonly policies: readonly Policy[];
  readonly warnings: readonly PolicyProblem[];
}

/** Ids the engine keeps for itself. */
export const OWN_PREFIX = 'sallyport:';

const MAX_POLICIES = 5000;
const MAX_FILE = 1 << 20;
const KNOWN_ANNOTATIONS = ['id', 'reason', 'approval', 'description'];
/** No `#`, so that a chosen id can never look like one made from a file name. */
const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;

/**
 * Reads, validates and names the policies of all files. Either all of them are good, or every problem is told and
 * nothing is loaded: a policy left out could be a forbid. `rules` are the approval rules that `@approval` may name.
 */
export function loadPolicies(
  files: readonly PolicySource[],
  options: { readonly rules: readonly string[] },
): LoadedPolicies | { readonly problems: readonly PolicyProblem[] } {
  const problems: PolicyProblem[] = [];
  const policies: Policy[] = [];
  const owners = new Map<string, Policy>();
  for (const file of files) {
    const note = (index: number, message: string, severity: 'error' | 'warning' = 'error'): void => {
      problems.push({ severity, file: file.name, ...placeOf(file.text, index), message });
    };
    if (file.text.length > MAX_FILE) {
      note(0, `is longer than ${MAX_FILE} characters`);
      continue;
    }
    const pieces = splitPolicies(file.text);
    if (policies.length + pieces.length > MAX_POLICIES) {
      note(0, `brings the number of policies above ${MAX_POLICIES}`);
      continue;
    }
    const before = problems.length;
    for (const [index, piece] of pieces.entries()) {
      const policy = loadOne(file, piece, index + 1, options.rules, note);
      if (!policy) continue;
      const owner = owners.get(policy.id);
      if (owner) note(piece.start, `the id "${policy.id}" is already taken by ${owner.file}:${owner.line}`);
      owners.set(policy.id, policy);
      policies.push(policy);
    }
    // The engine must see the file cut exactly as we did; otherwise some text would be judged out of its context.
    if (problems.length === before && countPolicies(file.text) !== pieces.length)
      note(0, 'cannot be cut into policies');
  }
  if (problems.some((problem) => problem.severity === 'error')) return { problems };
  return { policies, warnings: problems };
}

type Note = (index: number, message: string, severity?: 'error' | 'warning') => void;

function loadOne(
  file: PolicySource,
  piece: PolicyText,
  number: number,
  rules: readonly string[],
  note: Note,
): Policy | undefined {
  const tell = (complaint: Complaint, severity: 'error' | 'warning'): void =>
    note(piece.start + indexOfByte(piece.text, complaint.offset), complaint.message, severity);

  if (tooDeep(piece.text)) {
    note(piece.start, 'is nested too deeply; split it into several policies');
    return undefined;
  }
  const tree = parsePolicy(piece.text);
  if (isComplaints(tree)) {
    for (const complaint of tree) tell(complaint, 'error');
    return undefined;
  }
  for (const message of annotationProblems(tree, rules)) note(piece.start, message);
  const { errors, warnings } = validatePolicy(SCHEMA, piece.text);
  for (const complaint of errors) tell(complaint, 'error');
  for (const complaint of warnings) tell(complaint, 'warning');

  return {
    id: tree.annotations['id'] ?? `${file.name}#${number}`,
    text: piece.text,
    effect: tree.effect,
    action: tree.action,
    resource: tree.resource,
    approval: tree.annotations['approval'],
    reason: tree.annotations['reason'],
    mentions: mentionsOf(tree),
    file: file.name,
    line: placeOf(file.text, piece.start).line,
  };
}

function annotationProblems(tree: PolicyTree, rules: readonly string[]): string[] {
  const { id, approval } = tree.annotations;
  const problems = Object.keys(tree.annotations)
    .filter((name) => !KNOWN_ANNOTATIONS.includes(name))
    .map(
      (name) => `@${name} is not an annotation we know (${KNOWN_ANNOTATIONS.map((known) => `@${known}`).join(' ')})`,
    );
  if (id !== undefined && (!ID_PATTERN.test(id) || id.startsWith(OWN_PREFIX))) {
    problems.push(`@id("${id}") must be letters, digits and . _ : / - and must not start with ${OWN_PREFIX}`);
  }
  if (approval !== undefined && tree.effect === 'permit') {
    problems.push('@approval belongs on a forbid: it names the rule that lifts it; a permit needs no lifting');
  }
  if (approval !== undefined && !rules.includes(approval)) {
    const known = rules.length > 0 ? `the rules are ${rules.join(', ')}` : 'there are none yet';
    problems.push(`@approval("${approval}") names no approval rule; ${known}`);
  }
  return problems;
}

/** Whether a permit may grant the action: named actions only when its scope names them (`==`, or in a list). */
export function grants(policy: Policy, action: Action): boolean {
  if (policy.effect === 'forbid' || !NAMED_ACTIONS.has(action)) return true;
  const { action: scope } = policy;
  if (scope.op === '==') return scope.entity.id === action;
  return scope.op === 'in' && scope.entities.some((entity) => entity.id === action);
}

function isComplaints(answer: PolicyTree | Complaint[]): answer is Complaint[] {
  return Array.isArray(answer);
}
