import type { Agent } from '../core/agent.ts';
import type { Chain, Grant } from '../core/grant.ts';
import { isLabel } from '../core/label.ts';
import type { Ask, AskContext } from '../core/policy.ts';
import type { Principal } from '../core/principal.ts';
import { encodePart, type Resource, type ResourceKind } from '../core/resource.ts';
import { type Document, readDocument } from './document.ts';
import { Notes } from './notes.ts';
import type { Path, Problem } from './problem.ts';
import type { RawPolicyTest } from './schema/policy-test.ts';
import { readTests } from './validate.ts';

/** A question an operator wrote down beside the policies, and the answer it must get. */
export interface PolicyTest {
  readonly name: string;
  /** Undefined for an action on the gateway: then only the root principal counts. */
  readonly ask: Ask | undefined;
  readonly action: Ask['action'];
  readonly chain: Chain;
  readonly context: AskContext;
  readonly expect: 'permit' | 'hold' | 'deny';
  readonly policies: readonly string[] | undefined;
  /** The problem to report when the answer is another. */
  readonly failed: (message: string) => Problem;
}

/** Labels that the configuration gives a target come along without being written again. */
export interface TestContext {
  readonly file: string;
  readonly targetLabels: (target: string) => readonly string[];
  readonly now: number;
}

export function readPolicyTests(
  text: string,
  context: TestContext,
): { readonly tests: readonly PolicyTest[]; readonly problems: readonly Problem[] } {
  const document = readDocument(text);
  const notes = new Notes(context.file, document);
  for (const error of document.errors) notes.say('error', error, error.message);
  if (document.errors.length > 0) return { tests: [], problems: notes.problems() };
  const read = readTests(document.value ?? []);
  if (!('tests' in read)) {
    for (const { path, key, message } of read)
      notes.say('error', key ? document.keyAt(path) : document.at(path), message);
    return { tests: [], problems: notes.problems() };
  }
  const tests = read.tests.map((raw, index) => build(raw, [index], { ...context, document, notes }));
  return { tests, problems: notes.problems() };
}

function build(
  raw: RawPolicyTest,
  path: Path,
  context: TestContext & { document: Document; notes: Notes },
): PolicyTest {
  const { notes, document, file, now } = context;
  const gateway = raw.action.startsWith('gateway-');
  const resource = gateway ? undefined : resourceOf(raw);
  if (!gateway && !resource) {
    const where = raw.resource === undefined ? path : [...path, 'resource'];
    notes.error(where, 'needs a resource: target/database/schema/table/column, as far as it goes');
  }
  if (gateway && raw.resource !== undefined) notes.error([...path, 'resource'], 'is not for actions on the gateway');
  for (const [index, label] of (raw.labels ?? []).entries()) {
    if (!isLabel(label)) notes.error([...path, 'labels', index], 'is not a label');
  }
  const at = raw.context?.at === undefined ? now : Date.parse(raw.context.at);
  if (Number.isNaN(at)) notes.error([...path, 'context', 'at'], 'must be a date and time, as in 2026-01-31T12:00:00Z');
  const target = resource?.path[0] ?? '';
  const { verb, bounded, count, binding, source } = raw.context ?? {};
  return {
    name: raw.name,
    action: raw.action,
    ask: resource && { action: raw.action, resource, labels: [...(raw.labels ?? []), ...context.targetLabels(target)] },
    chain: chainOf(raw, at),
    context: {
      statement: { verb: verb ?? raw.action, bounded: bounded ?? true, count: count ?? 1 },
      binding: binding ?? 'scram',
      source: source ?? '127.0.0.1',
      now: at,
    },
    expect: raw.expect,
    policies: raw.policies,
    failed: (message) => ({ severity: 'error', file, ...document.at(path), message }),
  };
}

const KINDS: readonly ResourceKind[] = ['Target', 'Database', 'Schema', 'Table', 'Column'];

function resourceOf({ resource, function: isFunction }: RawPolicyTest): Resource | undefined {
  const path = (resource ?? '').split('/').map(decodePart);
  if (!path.every((part) => part !== undefined && part !== '')) return undefined;
  const parts = path.filter((part) => part !== undefined);
  const kind = isFunction ? 'Function' : KINDS[parts.length - 1];
  if (kind === undefined || (isFunction && parts.length !== 4)) return undefined;
  return { kind, path: parts };
}

/** Undefined for text that is not how `encodePart` would spell it. */
function decodePart(part: string): string | undefined {
  const text = part.replace(/%([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return encodePart(text) === part ? text : undefined;
}

function chainOf({ as, context }: RawPolicyTest, now: number): Chain {
  const { name, id = name, kind = 'user', groups = [] } = as;
  const principal: Principal = { kind, id, name, groups };
  const root = grantOf('test', principal, undefined, now);
  let above = root;
  const below = (as.agents ?? []).map((given, index) => {
    const agent: Agent = {
      id: given.assurance === 'asserted' ? `${above.id}/${given.name}` : given.name,
      name: given.name,
      kind: given.kind,
      assurance: given.assurance,
      class: given.class ?? given.kind,
      rights: given.rights ?? 'delegated',
      groups: given.groups ?? [],
    };
    above = {
      ...grantOf(`test-${index}`, principal, agent, now),
      parent: above.id,
      path: [...above.path, `test-${index}`],
    };
    return above;
  });
  const grants: [Grant, ...Grant[]] = [root, ...below];
  const last = grants.length - 1;
  const current = grants[last] ?? root;
  grants[last] = { ...current, purpose: context?.purpose };
  return { grants };
}

function grantOf(id: string, principal: Principal, agent: Agent | undefined, now: number): Grant {
  return {
    id,
    parent: undefined,
    path: [id],
    principal,
    agent,
    caveats: {},
    createdAt: now,
    connectBy: now + 3_600_000,
    expires: now + 3_600_000,
    uses: undefined,
    delegable: true,
    maxDepth: 8,
    purpose: undefined,
    transaction: 'test',
    login: undefined,
  };
}
