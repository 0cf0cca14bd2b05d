import type { NoticeEvent } from '../core/notice.ts';
import type { PrincipalId } from '../core/principal.ts';
import type { SecretReference } from './config.ts';

/** Who is told of requests for approval, and how. */
export type NotifyConfig = WebhookConfig | SlackConfig | EmailConfig;

interface Common {
  readonly name: string;
  readonly events: readonly NoticeEvent[];
  /** Only what waits for one of these approval rules; undefined: all. */
  readonly rules: readonly string[] | undefined;
}

export interface WebhookConfig extends Common {
  readonly kind: 'webhook';
  readonly url: string;
  readonly secret: SecretReference;
}

export interface SlackConfig extends Common {
  readonly kind: 'slack';
  /** Base of the API, without a slash at its end. */
  readonly url: string;
  readonly token: SecretReference;
  readonly signingSecret: SecretReference;
  readonly channel: string;
  /** Who a user of the workspace is here, by the id of the user. */
  readonly people: ReadonlyMap<string, PrincipalId>;
}

export interface EmailConfig extends Common {
  readonly kind: 'email';
  readonly smtp: {
    readonly host: string;
    readonly port: number;
    /** `start`: STARTTLS, and nothing is said before. `none`: on loopback only. */
    readonly tls: 'at-once' | 'start' | 'none';
    readonly user: string | undefined;
    readonly password: SecretReference | undefined;
  };
  readonly from: string;
  readonly to: readonly string[];
}
