import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'kysely';
import { changeType, laterTypes, type Notice, noticeOf } from '../approvals/notify/notice.ts';
import type { ApprovalRequest } from '../core/approval.ts';
import type { Tables } from './schema.ts';

/** Writes down what is to be told of a change, in the transaction that makes it. */
export async function notice(
  tx: Transaction<Tables>,
  key: Uint8Array,
  { before, after, now }: { before: ApprovalRequest | undefined; after: ApprovalRequest; now: number },
): Promise<void> {
  const type = changeType(before, after);
  if (type === undefined) return;
  const body = JSON.stringify(noticeOf(type, after, now));
  const later = before === undefined ? laterTypes(after) : [];
  await tx
    .insertInto('notices')
    .values([
      { request: after.id, type, due_at: now, body, mac: macOf([after.id, type, body], key) },
      ...later.map((each) => ({ request: after.id, type: each.type, due_at: each.at, body: null, mac: null })),
    ])
    .execute();
}

export function readNotice(body: string): Notice {
  return JSON.parse(body) as Notice;
}

export function macOf(parts: readonly string[], key: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update(`sallyport notice 1\n${JSON.stringify(parts)}`)
    .digest();
}

export function isTrue(mac: Buffer | null, parts: readonly string[], key: Uint8Array): boolean {
  const expected = macOf(parts, key);
  return mac?.length === expected.length && timingSafeEqual(mac, expected);
}
