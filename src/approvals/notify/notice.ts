import type { ApprovalRequest, ApprovalState, Verdict } from '../../core/approval.ts';
import { NOTICE_EVENTS, type NoticeEvent } from '../../core/notice.ts';
import { clip } from './text.ts';

export type NoticeType = `approval.${NoticeEvent}`;

export const NOTICE_TYPES: readonly NoticeType[] = NOTICE_EVENTS.map((event) => `approval.${event}` as const);

/** What is told of a request, version 1: what an approver may see of it, and nothing else. */
export interface Notice {
  readonly v: 1;
  readonly type: NoticeType;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly at: number;
  readonly request: {
    readonly id: string;
    readonly state: ApprovalState;
    readonly createdAt: number;
    readonly expiresAt: number;
    readonly rules: readonly string[];
    /** Whom it waits for beside the groups of its rules, since nobody answered in time. */
    readonly escalatedTo: readonly string[];
  };
  readonly asker: {
    readonly principal: { readonly id: string; readonly name: string };
    readonly chain: string;
    readonly purpose: readonly string[];
    readonly session: string | undefined;
  };
  readonly effect: {
    readonly target: string;
    readonly database: string;
    readonly role: string;
    readonly statement: string;
    readonly parameters: readonly string[] | undefined;
    readonly verbs: readonly string[];
    readonly resources: readonly string[];
    readonly labels: readonly string[];
    readonly message: string;
    readonly policies: readonly string[];
    /** Rows it reads or changes, as the target guesses. */
    readonly estimate: number | undefined;
    /** False where something was cut, here or before. */
    readonly whole: boolean;
  };
  readonly answers: readonly NoticedAnswer[];
}

export interface NoticedAnswer {
  readonly by: { readonly id: string; readonly name: string };
  readonly verdict: Verdict;
  readonly reason: string;
  readonly at: number;
}

/** What a change of a request is to be told as; undefined: it is nobody's business but the asker's. */
export function changeType(before: ApprovalRequest | undefined, after: ApprovalRequest): NoticeType | undefined {
  if (before === undefined) return 'approval.made';
  if (after.answers.length > before.answers.length) {
    if (after.answers.at(-1)?.verdict === 'break-glass') return 'approval.glass-broken';
    if (after.state === 'approved') return 'approval.approved';
    return after.state === 'denied' ? 'approval.denied' : 'approval.answered';
  }
  return after.state === 'withdrawn' && before.state !== 'withdrawn' ? 'approval.withdrawn' : undefined;
}

/** What is to be told later of a new request, unless it is answered until then. */
export function laterTypes(request: ApprovalRequest): readonly { readonly type: NoticeType; readonly at: number }[] {
  const spans = request.rules.flatMap(({ escalate }) => (escalate === undefined ? [] : [escalate.after * 1000]));
  return [
    ...[...new Set(spans)].map((span) => ({ type: 'approval.escalated', at: request.createdAt + span }) as const),
    { type: 'approval.expired', at: request.expiresAt },
  ];
}

/** Whether what was to be told later is true of the request as it stands then. */
export function isStillDue(type: NoticeType, request: ApprovalRequest): boolean {
  if (type === 'approval.escalated') return request.state === 'waiting';
  return type === 'approval.expired' && request.state === 'expired';
}

const MOST = 8_192;
const MOST_PARAMETERS = 32;

export function noticeOf(type: NoticeType, request: ApprovalRequest, at: number): Notice {
  const { asker, effect, answers } = request;
  const { statement, parameters } = effect;
  return {
    v: 1,
    type,
    at,
    request: {
      id: request.id,
      state: request.state,
      createdAt: request.createdAt,
      expiresAt: request.expiresAt,
      rules: request.rules.map(({ name }) => name),
      escalatedTo: escalatedTo(request, at),
    },
    asker: {
      principal: { id: asker.principal.id, name: clip(asker.principal.name, 256) },
      chain: clip(asker.chain, 1_024),
      purpose: asker.purpose.slice(0, 16).map((text) => clip(text, 512)),
      session: asker.session,
    },
    effect: {
      target: effect.target,
      database: effect.database,
      role: effect.role,
      statement: clip(statement, MOST),
      parameters: parameters?.slice(0, MOST_PARAMETERS).map((text) => clip(text, 512)),
      verbs: effect.verbs.slice(0, 100),
      resources: effect.resources.slice(0, 100),
      labels: effect.labels.slice(0, 100),
      message: clip(effect.message, 1_024),
      policies: effect.policies.slice(0, 100),
      estimate: effect.estimate,
      whole: isWhole(effect),
    },
    answers: answers.map((answer) => ({
      by: { id: answer.by.id, name: clip(answer.by.name, 256) },
      verdict: answer.verdict,
      reason: clip(answer.reason, 1_024),
      at: answer.at,
    })),
  };
}

/** What was cut before it was kept is longer than the limit there by the words that say so. */
function isWhole({ statement, parameters = [] }: ApprovalRequest['effect']): boolean {
  return (
    statement.length <= MOST && parameters.length <= MOST_PARAMETERS && parameters.every((text) => text.length <= 512)
  );
}

function escalatedTo({ rules, createdAt }: ApprovalRequest, at: number): readonly string[] {
  const due = rules.flatMap(({ escalate }) =>
    escalate !== undefined && at - createdAt >= escalate.after * 1000 ? escalate.groups : [],
  );
  return [...new Set(due)];
}
