import type { ApprovalRequest, ApprovalRule } from '../../core/approval.ts';
import type { NewRequest } from '../ports.ts';

export function aRule(more: Partial<ApprovalRule> = {}): ApprovalRule {
  return {
    name: 'dba-oncall',
    steps: [{ groups: ['dba'], people: [], manager: false, need: 1 }],
    confirm: undefined,
    expires: 600,
    escalate: undefined,
    breakGlass: [],
    scopes: [],
    ...more,
  };
}

/** What alice's CI job asks for. */
export function asked(more: Partial<NewRequest> = {}): NewRequest {
  return {
    id: '0'.repeat(22),
    asker: {
      principal: { id: 'idp|alice', name: 'alice' },
      agents: [{ id: 'ci|job', name: 'ci', kind: 'ci', assurance: 'attested' }],
      chain: 'alice > ci (attested)',
      grant: 'g'.padStart(22, '0'),
      transaction: 't',
      purpose: [],
      session: 's1',
    },
    effect: {
      target: 'shop',
      database: 'shop',
      role: 'app',
      statement: 'DROP TABLE orders',
      parameters: undefined,
      verbs: ['ddl'],
      resources: ['ddl shop/shop'],
      labels: [],
      message: 'ddl needs approval',
      policies: ['prod-ddl'],
      isRead: false,
    },
    rules: [aRule()],
    digest: 'd1',
    alike: undefined,
    around: 'a1',
    lasts: 600_000,
    ...more,
  };
}

/** The same once it is kept, made at 0. */
export function aRequest(more: Partial<ApprovalRequest> = {}): ApprovalRequest {
  const { lasts, ...rest } = asked();
  const fresh = { state: 'waiting', answers: [], createdAt: 0, scope: 'once', uses: 0, reviewDue: false } as const;
  return { ...rest, ...fresh, expiresAt: lasts, ...more };
}
