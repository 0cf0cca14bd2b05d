import { NOTICE_EVENTS, type NoticeEvent } from '../core/notice.ts';
import { isLoopback, isProtected } from './address.ts';
import type { SecretReference } from './config.ts';
import type { Notes } from './notes.ts';
import type { EmailConfig, NotifyConfig, SlackConfig, WebhookConfig } from './notify.ts';
import type { Path } from './problem.ts';
import { parseReference, REFERENCE_WORDS } from './reference.ts';
import type { RawNotify } from './schema/notify.ts';

/** Keys of one kind: those it must have, and those it may have. */
const KEYS: Readonly<
  Record<RawNotify['kind'], { must: readonly (keyof RawNotify)[]; may: readonly (keyof RawNotify)[] }>
> = {
  webhook: { must: ['url', 'secret'], may: [] },
  slack: { must: ['token', 'signing_secret', 'channel'], may: ['people', 'url'] },
  email: { must: ['smtp', 'from', 'to'], may: ['password'] },
};
const COMMON: readonly (keyof RawNotify)[] = ['kind', 'name', 'events', 'rules'];

const SLACK_API = 'https://slack.com/api';
const SLACK_USER = /^[UW][A-Z0-9]{4,32}$/;
const MAIL_ADDRESS = /^[^\s<>@,;"]+@[^\s<>@,;"]+$/;
const MAIL_SENDER = /^(?:[^<>@,;"]+ <([^\s<>]+)>|([^\s<>]+))$/;
/** Nobody is written to about every answer. */
const EMAIL_EVENTS: readonly NoticeEvent[] = ['made', 'escalated', 'expired', 'glass-broken'];

export interface NotifyContext {
  readonly directory: string;
  /** Names of the approval rules there are. */
  readonly rules: readonly string[];
  readonly notes: Notes;
}

type Place = NotifyContext & { readonly path: Path };

export function buildNotify(raw: readonly RawNotify[], context: NotifyContext): readonly NotifyConfig[] {
  const at = (index: number): Path => ['approvals', 'notify', index];
  context.notes.unique(raw.map(({ name }, index) => ({ name, path: [...at(index), 'name'] })));
  return raw.map((entry, index) => buildOne(entry, { ...context, path: at(index) }));
}

function buildOne(raw: RawNotify, place: Place): NotifyConfig {
  const { path, notes, rules } = place;
  const { must, may } = KEYS[raw.kind];
  for (const key of must) if (raw[key] === undefined) notes.error(path, `must have "${key}"`);
  for (const key of Object.keys(raw) as (keyof RawNotify)[]) {
    if (![...COMMON, ...must, ...may].includes(key)) notes.error([...path, key], `is not for ${raw.kind}`);
  }
  for (const [index, rule] of (raw.rules ?? []).entries()) {
    if (!rules.includes(rule)) notes.error([...path, 'rules', index], `"${rule}" is not an approval rule`);
  }
  switch (raw.kind) {
    case 'webhook':
      return buildWebhook(raw, place);
    case 'slack':
      return buildSlack(raw, place);
    case 'email':
      return buildEmail(raw, place);
  }
}

function common(raw: RawNotify, events: readonly NoticeEvent[]): Pick<NotifyConfig, 'name' | 'events' | 'rules'> {
  return { name: raw.name, events: raw.events ?? events, rules: raw.rules };
}

function buildWebhook(raw: RawNotify, place: Place): WebhookConfig {
  const { url = '' } = raw;
  const isGood = URL.canParse(url) && isProtected(new URL(url)) && new URL(url).username + new URL(url).password === '';
  // The address may hold a secret of the receiver: the message does not repeat it.
  if (raw.url !== undefined && !isGood) {
    place.notes.error([...place.path, 'url'], 'must be an https:// address without a user (http:// only on loopback)');
  }
  return { kind: 'webhook', ...common(raw, NOTICE_EVENTS), url, secret: secretOf('secret', raw, place) };
}

function buildSlack(raw: RawNotify, place: Place): SlackConfig {
  const { url = SLACK_API, people = {} } = raw;
  const { notes, path } = place;
  if (!URL.canParse(url) || !isProtected(new URL(url)) || url.endsWith('/') || new URL(url).search !== '') {
    notes.error([...path, 'url'], 'must be https://… without a slash at its end (http:// only on loopback)');
  }
  for (const [user, principal] of Object.entries(people)) {
    if (!SLACK_USER.test(user))
      notes.error([...path, 'people', user], 'is not the id of a user of Slack, as in U012ABC3D');
    if (!principal.includes('|')) {
      notes.error([...path, 'people', user], 'must be an id, "<issuer>|<subject>": names can be given to others');
    }
  }
  return {
    kind: 'slack',
    ...common(raw, NOTICE_EVENTS),
    url,
    token: secretOf('token', raw, place),
    signingSecret: secretOf('signing_secret', raw, place),
    channel: raw.channel ?? '',
    people: new Map(Object.entries(people)),
  };
}

function buildEmail(raw: RawNotify, place: Place): EmailConfig {
  const { from = '', to = [] } = raw;
  const { notes, path } = place;
  const sender = MAIL_SENDER.exec(from);
  if (raw.from !== undefined && !MAIL_ADDRESS.test(sender?.[1] ?? sender?.[2] ?? '')) {
    notes.error([...path, 'from'], 'must be an address, or "Name <address>"');
  }
  for (const [index, address] of to.entries()) {
    if (!MAIL_ADDRESS.test(address)) notes.error([...path, 'to', index], 'must be an address, as in ops@example.com');
  }
  return { kind: 'email', ...common(raw, EMAIL_EVENTS), smtp: buildSmtp(raw, place), from, to };
}

function buildSmtp(raw: RawNotify, place: Place): EmailConfig['smtp'] {
  const { notes, path } = place;
  const at = [...path, 'smtp'];
  const url = URL.canParse(raw.smtp ?? '') ? new URL(raw.smtp ?? '') : undefined;
  const isSmtp = url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== '';
  if (!isSmtp || !/^\/?$/.test(url.pathname) || url.search + url.hash !== '') {
    if (raw.smtp !== undefined) notes.error(at, 'must be smtps://[user@]host[:port], or smtp://… for STARTTLS');
    return { host: '', port: 0, tls: 'start', user: undefined, password: undefined };
  }
  if (url.password !== '') notes.error(at, 'holds a password; give "password" as a secret reference instead');
  const user = url.username === '' ? undefined : decoded(url.username);
  if (user === '') notes.error(at, 'has a user that is not properly percent-encoded');
  if ((user === undefined) !== (raw.password === undefined)) {
    notes.error(at, 'and "password" belong together: a user in the one, the secret in the other, or neither');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isAtOnce = url.protocol === 'smtps:';
  return {
    host,
    port: Number(url.port || (isAtOnce ? 465 : 587)),
    tls: isAtOnce ? 'at-once' : isLoopback(host) ? 'none' : 'start',
    user,
    password: raw.password === undefined ? undefined : secretOf('password', raw, place),
  };
}

/** Empty where it cannot be decoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** The message never repeats what stands there: it may be the secret. */
function secretOf(
  key: 'secret' | 'token' | 'signing_secret' | 'password',
  raw: RawNotify,
  { path, directory, notes }: Place,
): SecretReference {
  const text = raw[key];
  const reference = text === undefined ? undefined : parseReference(text, directory);
  if (text !== undefined && !reference)
    notes.error([...path, key], `must be ${REFERENCE_WORDS}; never the secret itself`);
  return reference ?? { scheme: 'env', name: '' };
}
