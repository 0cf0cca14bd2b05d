import type { ApprovalRequest } from '../../core/approval.ts';
import { type Denial, deny } from '../../core/decision.ts';

// What is said to whoever waits, and to whoever waited in vain.

function names({ rules }: ApprovalRequest): string {
  return rules.map((rule) => rule.name).join(', ');
}

export function waitingFor(request: ApprovalRequest, waited: number): string {
  const { id } = request;
  if (waited < 1000) {
    return `waiting for approval by ${names(request)}: request ${id}; to answer: sallyport approvals show ${id}`;
  }
  return `still waiting for approval by ${names(request)} (${Math.round(waited / 1000)} s): request ${id}`;
}

export function unfit(request: ApprovalRequest): Denial {
  const { id, effect } = request;
  return deny(
    'approval-required',
    `${effect.message}; nothing can wait for it inside a transaction or pipeline, so it was refused: request ${id}`,
    { policies: effect.policies, hint: `once somebody has approved ${id}, run the transaction again` },
  );
}

export function taken({ id, effect }: ApprovalRequest): Denial {
  return deny('cancelled', `canceled while waiting for approval (request ${id})`, {
    policies: effect.policies,
    hint: `the request stays open; to take it back: sallyport approvals withdraw ${id}`,
  });
}

export function changed({ id, effect }: ApprovalRequest): Denial {
  return deny('approval-required', `what the statement names has changed while request ${id} was answered`, {
    policies: effect.policies,
    hint: 'run it again: it needs an approval of what it would do now',
  });
}

/** What the end of a request means for whoever waited, or came too late. */
export function refusal({ id, state, answers, effect, expiresAt }: ApprovalRequest): Denial {
  const { policies } = effect;
  switch (state) {
    case 'denied': {
      const answer = answers.findLast(({ verdict }) => verdict === 'deny');
      const why = answer?.reason ? `: ${answer.reason}` : '';
      return deny('approval-denied', `${answer?.by.name ?? 'an approver'} denied request ${id}${why}`, { policies });
    }
    case 'expired':
      return deny('approval-expired', `request ${id} has expired without an answer`, { policies });
    case 'withdrawn':
      return deny('approval-expired', `request ${id} was withdrawn`, { policies });
    case 'used':
      return deny('approval-required', `the approval of request ${id} was used already, for one statement`, {
        policies,
        hint: 'run it again to ask once more',
      });
    case 'waiting':
    case 'approved':
      return deny('approval-required', `nobody has answered request ${id} yet`, {
        policies,
        hint: `it stays open until ${new Date(expiresAt).toISOString().slice(0, 19)}Z: once it is approved, run this again`,
      });
  }
}
