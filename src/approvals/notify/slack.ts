import { type Send, SendFailure } from './destination.ts';
import type { Links } from './links.ts';
import { post } from './post.ts';
import { type SlackMessage, slackMessage } from './slack-message.ts';

export interface SlackApp {
  /** Base of the API. */
  readonly url: string;
  readonly token: () => Promise<string>;
}

export interface SlackChannel extends SlackApp {
  readonly channel: string;
  readonly links: () => Links;
  /** What was kept when the request was first told of. */
  readonly receipt: (request: string) => Promise<string | undefined>;
}

const MOST_ANSWER = 256 * 1024;
const LOUD: ReadonlySet<string> = new Set(['approval.escalated', 'approval.glass-broken']);
const UNFURLED = { unfurl_links: false, unfurl_media: false, parse: 'none', link_names: false };

/**
 * One message for each request, changed as the request changes; what nobody may overlook is said once more below it.
 * A receipt is `<channel>/<time stamp>`, which is how Slack names a message.
 */
export function slack(app: SlackChannel): Send {
  return async ({ notice }, signal) => {
    const message = slackMessage(notice, app.links());
    const [channel, ts] = (await app.receipt(notice.request.id))?.split('/') ?? [];
    if (channel === undefined || ts === undefined || !(await update(app, { ...message, channel, ts }, signal))) {
      const sent = await call(app, 'chat.postMessage', { ...message, ...UNFURLED, channel: app.channel }, signal);
      return `${textOf(sent['channel'])}/${textOf(sent['ts'])}`;
    }
    if (LOUD.has(notice.type)) {
      const reply = { text: message.text, channel, thread_ts: ts, reply_broadcast: true, ...UNFURLED };
      await call(app, 'chat.postMessage', reply, signal);
    }
    return undefined;
  };
}

/** Says something to one user, in a channel where they are. */
export async function whisperTo(
  app: SlackApp,
  { channel, user, message }: { readonly channel: string; readonly user: string; readonly message: SlackMessage },
  signal: AbortSignal,
): Promise<void> {
  await call(app, 'chat.postEphemeral', { ...message, channel, user }, signal);
}

/** False where somebody has deleted the message. */
async function update(app: SlackApp, message: object, signal: AbortSignal): Promise<boolean> {
  try {
    await call(app, 'chat.update', message, signal);
    return true;
  } catch (thrown) {
    if (thrown instanceof SendFailure && thrown.message === said('message_not_found')) return false;
    throw thrown;
  }
}

async function call(
  app: SlackApp,
  method: string,
  body: object,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const text = await post({
    url: `${app.url}/${method}`,
    headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${await app.token()}` },
    body: JSON.stringify(body),
    signal,
    read: MOST_ANSWER,
  });
  const answer = parsed(text);
  if (answer['ok'] !== true) throw new SendFailure(said(answer['error']));
  return answer;
}

function said(error: unknown): string {
  const isCode = typeof error === 'string' && /^[a-z_]{1,64}$/.test(error);
  return `Slack says ${isCode ? error : 'something else than yes'}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
