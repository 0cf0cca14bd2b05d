import { Courier } from '../approvals/notify/courier.ts';
import type { Destination, Send } from '../approvals/notify/destination.ts';
import type { DeliveryStore } from '../approvals/notify/ports.ts';
import { slack } from '../approvals/notify/slack.ts';
import { type MailBox, mailer } from '../approvals/notify/smtp.ts';
import { webhook } from '../approvals/notify/webhook.ts';
import type { Config, SecretReference } from '../config/config.ts';
import type { EmailConfig, NotifyConfig } from '../config/notify.ts';
import type { Foundation } from './foundation.ts';
import type { Log } from './log.ts';
import { type KeptSecrets, keepSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { systemClock, systemRandom } from './system.ts';

export interface NotificationParts {
  readonly foundation: Foundation;
  readonly settings: () => Settings;
  readonly log: Log;
}

/** Tells of requests for approval, wherever the configuration in force says. */
export function openNotifications({ foundation, settings, log }: NotificationParts): { close(): Promise<void> } {
  const { store, evidence } = foundation;
  const secrets = keepSecrets(foundation.resolve, systemClock);
  let known: { readonly config: Config; readonly destinations: readonly Destination[] } | undefined;
  const courier = new Courier({
    store: store.deliveries,
    destinations: () => {
      const { config } = settings();
      if (known?.config !== config)
        known = { config, destinations: destinationsOf(config, { secrets, store: store.deliveries }) };
      return known.destinations;
    },
    random: systemRandom,
    onDead: async ({ id, destination, notice }, error) => {
      log.error('nobody could be told', { delivery: id, destination, type: notice.type, error });
      await evidence.audit({
        v: 1,
        type: 'alarm',
        at: new Date(systemClock.now()).toISOString(),
        alarm: 'delivery-dead',
        delivery: id,
        destination,
        told: notice.type,
        request: notice.request.id,
        error,
      });
    },
    onFailed: ({ id, destination, tries }, error) =>
      log.warn('telling failed; it is tried again', { delivery: id, destination, tries, error }),
    onProblem: ({ code, message }) => log.warn('nobody can be told of approvals now', { code, message }),
  });
  const unsubscribe = store.feed.subscribe((entry) => {
    if (entry.kind === 'approval') courier.stir();
  });
  courier.start();
  return {
    close: async () => {
      unsubscribe();
      await courier.close();
    },
  };
}

interface SenderParts {
  readonly secrets: KeptSecrets;
  readonly store: Pick<DeliveryStore, 'receipt'>;
}

function destinationsOf(config: Config, parts: SenderParts): readonly Destination[] {
  return config.approvals.notify.map((one) => ({
    name: one.name,
    events: one.events.map((event) => `approval.${event}` as const),
    rules: one.rules,
    send: senderOf(one, config, parts),
  }));
}

function senderOf(one: NotifyConfig, config: Config, { secrets, store }: SenderParts): Send {
  const secret = (reference: SecretReference) => () => secrets(reference);
  const links = () => ({ origin: config.url });
  switch (one.kind) {
    case 'webhook':
      return webhook({ url: one.url, secret: secret(one.secret), now: () => systemClock.now(), links });
    case 'slack':
      return slack({
        url: one.url,
        token: secret(one.token),
        channel: one.channel,
        links,
        receipt: (request) => store.receipt(one.name, request),
      });
    case 'email': {
      const { smtp, from, to } = one;
      return mailer({ ...smtp, login: loginOf(smtp, secrets), from, to, links });
    }
  }
}

function loginOf({ user, password }: EmailConfig['smtp'], secrets: KeptSecrets): MailBox['login'] {
  if (user === undefined || password === undefined) return undefined;
  return async () => ({ user, pass: await secrets(password) });
}
