import { createHash } from 'node:crypto';
import type { ApprovalRequest, ApprovalRule } from '../../core/approval.ts';
import type { NewRequest } from '../ports.ts';
import type { Wanted } from '../request.ts';

export function aRule(more: Partial<ApprovalRule> = {}): ApprovalRule {
  return {
    name: 'dba',
    steps: [{ groups: ['dbas'], people: [], need: 1 }],
    confirm: undefined,
    expires: 3600,
    escalate: undefined,
    breakGlass: [],
    scopes: [],
    ...more,
  };
}

/** What somebody wants whose request is to have this id. */
export function wanting(id: string, rules: readonly ApprovalRule[] = [aRule()]): { wanted: Wanted; fresh: NewRequest } {
  const digest = createHash('sha256').update(id).digest('hex');
  const fresh: NewRequest = {
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
    digest,
    alike: undefined,
    lasts: 3_600_000,
  };
  return { wanted: { digest, alike: undefined, session: undefined }, fresh };
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
