/** What of a request for approval is told, by the words an operator uses. */
export const NOTICE_EVENTS = [
  'made',
  'escalated',
  'answered',
  'approved',
  'denied',
  'withdrawn',
  'expired',
  'glass-broken',
] as const;

export type NoticeEvent = (typeof NOTICE_EVENTS)[number];
