import { createHash } from 'node:crypto';
import type { ApprovalRequest, ApprovalRule } from '../../core/approval.ts';
import type { NewRequest } from '../ports.ts';
import type { Wanted } from '../request.ts';
import { asked, aRule as ruleOf } from './requests.ts';

/** A rule that asks one of the DBAs. */
export function aRule(more: Partial<ApprovalRule> = {}): ApprovalRule {
  const rule = ruleOf({ name: 'dba', expires: 3600 });
  return { ...rule, steps: rule.steps.map((step) => ({ ...step, groups: ['dbas'] })), ...more };
}

/** What alice’s deploy job wants whose request is to have this id; no two want the same. */
export function wanting(id: string, rules: readonly ApprovalRule[] = [aRule()]): { wanted: Wanted; fresh: NewRequest } {
  const fresh = asked({
    id,
    asker: {
      principal: { id: 'https://id.example|alice', name: 'alice@corp.example' },
      agents: [{ id: 'https://ci.example|job', name: 'deploy', kind: 'ci', assurance: 'attested' }],
      chain: 'alice@corp.example > deploy (attested)',
      grant: id,
      transaction: `tx-${id}`,
      purpose: ['JIRA-1234'],
      session: undefined,
    },
    effect: {
      target: 'shop',
      database: 'shop',
      role: 'app',
      statement: 'delete from orders where id = 7',
      parameters: undefined,
      verbs: ['delete'],
      resources: ['delete public.orders'],
      labels: [],
      message: 'deleting needs an approval',
      policies: ['delete-held'],
      isRead: false,
    },
    rules,
    digest: createHash('sha256').update(id).digest('hex'),
    lasts: 3_600_000,
  });
  return { wanted: { ...fresh, session: undefined }, fresh };
}

export function aRequest(more: Partial<ApprovalRequest> = {}): ApprovalRequest {
  const { lasts, ...fresh } = wanting('0000000000000000000001').fresh;
  const createdAt = Date.parse('2026-10-01T12:00:00Z');
  return {
    ...fresh,
    state: 'waiting',
    answers: [],
    createdAt,
    expiresAt: createdAt + lasts,
    scope: 'once',
    uses: 0,
    reviewDue: false,
    ...more,
  };
}
