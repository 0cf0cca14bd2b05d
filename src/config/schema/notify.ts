import { type TSchema, Type } from 'typebox';
import { NOTICE_EVENTS, type NoticeEvent } from '../../core/notice.ts';
import { CLOSED, LINE, NAME, schemaFor } from './schema-for.ts';

export interface RawNotify {
  kind: 'webhook' | 'slack' | 'email';
  name: string;
  events?: NoticeEvent[];
  rules?: string[];
  url?: string;
  secret?: string;
  token?: string;
  signing_secret?: string;
  channel?: string;
  people?: Record<string, string>;
  smtp?: string;
  password?: string;
  from?: string;
  to?: string[];
}

const line = Type.String(LINE);
const secret = Type.String({ minLength: 1, maxLength: 1024 });

const notify = {
  kind: Type.Enum(['webhook', 'slack', 'email']),
  name: Type.String(NAME),
  events: Type.Optional(Type.Array(Type.Enum([...NOTICE_EVENTS]), { minItems: 1, uniqueItems: true })),
  rules: Type.Optional(Type.Array(line, { minItems: 1, maxItems: 256, uniqueItems: true })),
  url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
  secret: Type.Optional(secret),
  token: Type.Optional(secret),
  signing_secret: Type.Optional(secret),
  channel: Type.Optional(line),
  people: Type.Optional(Type.Record(Type.String(), line, { ...CLOSED, maxProperties: 10_000 })),
  smtp: Type.Optional(line),
  password: Type.Optional(secret),
  from: Type.Optional(line),
  to: Type.Optional(Type.Array(line, { minItems: 1, maxItems: 64, uniqueItems: true })),
};
schemaFor<RawNotify>()(Type.Object(notify));

export const notifySchema: TSchema = Type.Object(notify, CLOSED);
