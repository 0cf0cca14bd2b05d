import { createHmac, timingSafeEqual } from 'node:crypto';

/** A request as it came from Slack, before anything in it is believed. */
export interface SlackRequest {
  /** X-Slack-Request-Timestamp: seconds since the epoch. */
  readonly timestamp: string;
  /** X-Slack-Signature */
  readonly signature: string;
  /** Bytes, as they were signed. */
  readonly body: Uint8Array;
}

/** "More than five minutes from local time": a replay, or a clock that is wrong. */
export const SIGNATURE_LASTS = 300_000;

/** Whether it could be signed and is not too old; costs nothing, so it is asked before any secret is opened. */
export function isPlausible({ timestamp, signature }: SlackRequest, now: number): boolean {
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  return Math.abs(now - Number(timestamp) * 1000) <= SIGNATURE_LASTS;
}

/** docs.slack.dev/authentication/verifying-requests-from-slack */
export function isSigned({ timestamp, signature, body }: SlackRequest, secret: string): boolean {
  const mac = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  const expected = Buffer.from(`v0=${mac}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
