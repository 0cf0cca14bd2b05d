import type { Notice, NoticeType } from './notice.ts';
import { clip, line } from './text.ts';

/** How people are told, in mail and chat alike. Everything in it is one line and plain (text.ts). */

const HEADLINES: Readonly<Record<NoticeType, string>> = {
  'approval.made': 'Approval wanted',
  'approval.escalated': 'Still waiting, and escalated',
  'approval.answered': 'One more approval wanted',
  'approval.approved': 'Approved',
  'approval.denied': 'Denied',
  'approval.withdrawn': 'Withdrawn',
  'approval.expired': 'Expired without an answer',
  'approval.glass-broken': 'Glass broken',
};

export function headline({ type, asker, effect }: Notice): string {
  const what = [...new Set(effect.verbs)].join(', ') || 'a statement';
  return `${HEADLINES[type]}: ${line(clip(what, 60))} on ${effect.target} for ${line(clip(asker.principal.name, 80))}`;
}

/** Names and values, in the order people ask for them. */
export function about({ asker, effect, request }: Notice): readonly (readonly [name: string, value: string])[] {
  const all: (readonly [string, string])[] = [
    ['Who', asker.chain],
    ['Why', asker.purpose.join(' / ')],
    ['Where', `${effect.target}, database ${effect.database}, as ${effect.role}`],
    ['Touches', effect.resources.join(', ')],
    ['Rows', effect.estimate === undefined ? '' : `about ${effect.estimate}`],
    ['Labels', effect.labels.join(', ')],
    ['Held by', `${effect.message} (${effect.policies.join(', ')})`],
    ['Waits for', [...request.rules, ...request.escalatedTo].join(', ')],
    ['Until', `${new Date(request.expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`],
  ];
  return all.filter(([, value]) => value !== '').map(([name, value]) => [name, line(clip(value, 500))]);
}

const VERDICTS = { approve: 'approved', deny: 'denied', 'break-glass': 'broke glass' } as const;

export function answersOf({ answers }: Notice): readonly string[] {
  return answers.map(({ by, verdict, reason }) => {
    const why = reason === '' ? '' : `: ${line(clip(reason, 300))}`;
    return `${line(by.name)} ${VERDICTS[verdict]}${why}`;
  });
}
