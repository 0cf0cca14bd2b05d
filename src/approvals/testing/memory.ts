import type { ApprovalRequest } from '../../core/approval.ts';
import { Fault } from '../../core/fault.ts';
import type { ApprovalStore } from '../ports.ts';
import { at, covers } from '../request.ts';

/** Requests in memory, one change after the other. `told` hears of each change. */
export function memoryStore(
  now: () => number,
  told: (request: ApprovalRequest) => void = () => undefined,
): ApprovalStore & { readonly all: Map<string, ApprovalRequest> } {
  const all = new Map<string, ApprovalRequest>();
  const put = (request: ApprovalRequest): ApprovalRequest => {
    all.set(request.id, request);
    told(request);
    return request;
  };
  return {
    all,
    open: async (wanted, { lasts, ...fresh }) => {
      const known = [...all.values()].map((request) => at(request, now()));
      const found =
        known.find((request) => covers(request, wanted)) ??
        known.find(({ state, digest }) => state === 'waiting' && digest === wanted.digest);
      const made = { createdAt: now(), expiresAt: now() + lasts, uses: 0, reviewDue: false };
      return found ?? put({ ...fresh, ...made, state: 'waiting', answers: [], scope: 'once' });
    },
    change: async (id, change) => {
      const before = all.get(id);
      if (before === undefined) throw new Fault('NOT_FOUND', `there is no request ${id}`);
      const next = change(before, now());
      return next === undefined ? at(before, now()) : put(next);
    },
    find: async (id) => {
      const found = all.get(id);
      return found && at(found, now());
    },
    list: async ({ states, principal, reviewDue, limit }) =>
      [...all.values()]
        .map((request) => at(request, now()))
        .filter((request) => states?.includes(request.state) ?? true)
        .filter(({ asker }) => principal === undefined || asker.principal.id === principal)
        .filter((request) => reviewDue === undefined || request.reviewDue === reviewDue)
        .reverse()
        .slice(0, limit),
  };
}
