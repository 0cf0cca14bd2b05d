import type { ApprovalRule, ApprovalStep } from '../core/approval.ts';
import { buildNotify } from './build-notify.ts';
import type { Config } from './config.ts';
import type { Notes } from './notes.ts';
import type { Path } from './problem.ts';
import type { RawApprovals, RawRule, RawStep } from './schema/approvals.ts';

const HOLD_WAIT = 300;
const EXPIRES = 3600;

export function buildApprovals(raw: RawApprovals, directory: string, notes: Notes): Config['approvals'] {
  const rules = raw.rules ?? [];
  const at = (index: number): Path => ['approvals', 'rules', index];
  notes.unique(rules.map(({ name }, index) => ({ name, path: [...at(index), 'name'] })));
  return {
    holdWait: raw.hold_wait ?? HOLD_WAIT,
    rules: rules.map((rule, index) => buildRule(rule, at(index), notes)),
    notify: buildNotify(raw.notify ?? [], { directory, rules: rules.map(({ name }) => name), notes }),
  };
}

function buildRule(raw: RawRule, path: Path, notes: Notes): ApprovalRule {
  const { name, ask, steps, confirm, escalate } = raw;
  if (ask !== undefined && steps !== undefined) notes.error([...path, 'steps'], 'stands beside "ask": use one of them');
  if (ask === undefined && steps === undefined && confirm === undefined) {
    notes.error(path, 'asks nobody: give it "ask" (groups), "steps", or "confirm: delegator"');
  }
  const expires = raw.expires ?? EXPIRES;
  if (escalate !== undefined && escalate.after >= expires) {
    notes.error([...path, 'escalate', 'after'], `comes after the request has expired (${expires} s)`);
  }
  const short: RawStep[] = ask === undefined ? [] : [{ ask }];
  return {
    name,
    steps: (steps ?? short).map((step, index) => buildStep(step, [...path, 'steps', index], notes)),
    confirm,
    expires,
    escalate: escalate && { after: escalate.after, groups: escalate.ask },
    breakGlass: raw.break_glass ?? [],
    scopes: raw.scopes ?? [],
  };
}

function buildStep({ ask = [], people = [], manager, need = 1 }: RawStep, path: Path, notes: Notes): ApprovalStep {
  const named = people.length + (manager === true ? 1 : 0);
  if (ask.length + named === 0) notes.error(path, 'asks nobody: give it "ask" (groups), "people" or "manager: true"');
  if (need !== 'all' && ask.length === 0 && need > named) {
    notes.error([...path, 'need'], `is more than the ${named} people there are`);
  }
  for (const [index, person] of people.entries()) {
    if (!person.includes('|')) {
      notes.error([...path, 'people', index], 'must be an id, "<issuer>|<subject>": names can be given to others');
    }
  }
  return { groups: ask, people, manager: manager === true, need };
}
