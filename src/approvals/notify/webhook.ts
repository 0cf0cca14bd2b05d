import { createHmac } from 'node:crypto';
import { Fault } from '../../core/fault.ts';
import type { Send } from './destination.ts';
import { type Links, linksTo } from './links.ts';
import type { Notice } from './notice.ts';
import { post } from './post.ts';

export interface Webhook {
  readonly url: string;
  readonly secret: () => Promise<string>;
  readonly now: () => number;
  readonly links: () => Links;
}

/** Posts notices as signed JSON (standardwebhooks.com, version 1). What the receiver says is not looked at. */
export function webhook({ url, secret, now, links }: Webhook): Send {
  return async ({ id, notice }, signal) => {
    const body = webhookBody(notice, links());
    const stamp = Math.floor(now() / 1000);
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(stamp),
      'webhook-signature': signature(keyOf(await secret()), { id, stamp, body }),
    };
    await post({ url, headers, body, signal, read: 0 });
    return undefined;
  };
}

export function signature(key: Uint8Array, { id, stamp, body }: Signed): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${stamp}.${body}`).digest('base64')}`;
}

interface Signed {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly stamp: number;
  readonly body: string;
}

/** "The secret should be between 24 and 64 bytes"; written with its prefix it is base64, else taken as it stands. */
const SHORTEST = 24;

/** Throws Fault CONFIG_INVALID for a secret that is too short to be one. */
export function keyOf(secret: string): Buffer {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8');
  if (key.length >= SHORTEST) return key;
  throw new Fault('CONFIG_INVALID', `the secret of a webhook has at least ${SHORTEST} bytes`);
}

/** Version 1 of what receivers get; docs/guide/approvals-notify.md says what is in it. */
export function webhookBody({ v, type, at, request, asker, effect, answers }: Notice, links: Links): string {
  return JSON.stringify({
    type,
    timestamp: iso(at),
    version: v,
    data: {
      request: {
        id: request.id,
        state: request.state,
        created_at: iso(request.createdAt),
        expires_at: iso(request.expiresAt),
        rules: request.rules,
        escalated_to: request.escalatedTo,
        ...linksTo(request.id, links),
      },
      asked_by: {
        principal: asker.principal,
        chain: asker.chain,
        purpose: asker.purpose,
        session: asker.session ?? null,
      },
      effect: effectOf(effect),
      answers: answers.map((answer) => ({ ...answer, at: iso(answer.at) })),
    },
  });
}

function effectOf({ estimate, parameters, ...rest }: Notice['effect']) {
  return { ...rest, parameters: parameters ?? null, estimated_rows: estimate ?? null };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
