import { type TSchema, Type } from 'typebox';
import { notifySchema, type RawNotify } from './notify.ts';
import { CLOSED, LINE, NAME, schemaFor } from './schema-for.ts';

export interface RawApprovals {
  hold_wait?: number;
  rules?: RawRule[];
  notify?: RawNotify[];
}

export interface RawRule {
  name: string;
  ask?: string[];
  steps?: RawStep[];
  confirm?: 'delegator';
  expires?: number;
  escalate?: { after: number; ask: string[] };
  break_glass?: string[];
  scopes?: ('session' | 'fingerprint' | 'window')[];
}

export interface RawStep {
  ask?: string[];
  people?: string[];
  manager?: true;
  need?: number | 'all';
}

const some = Type.Array(Type.String(LINE), { minItems: 1, maxItems: 64, uniqueItems: true });
const most = 64;

const step = {
  ask: Type.Optional(some),
  people: Type.Optional(some),
  manager: Type.Optional(Type.Literal(true)),
  need: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: most }), Type.Literal('all')])),
};
schemaFor<RawStep>()(Type.Object(step));

const rule = {
  name: Type.String(NAME),
  ask: Type.Optional(some),
  steps: Type.Optional(Type.Array(Type.Object(step, CLOSED), { minItems: 1, maxItems: 8 })),
  confirm: Type.Optional(Type.Literal('delegator')),
  expires: Type.Optional(Type.Integer({ minimum: 30, maximum: 30 * 86_400 })),
  escalate: Type.Optional(
    Type.Object({ after: Type.Integer({ minimum: 1, maximum: 30 * 86_400 }), ask: some }, CLOSED),
  ),
  break_glass: Type.Optional(some),
  scopes: Type.Optional(Type.Array(Type.Enum(['session', 'fingerprint', 'window']), { uniqueItems: true })),
};
schemaFor<RawRule>()(Type.Object(rule));

const approvals = {
  hold_wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600 })),
  rules: Type.Optional(Type.Array(Type.Object(rule, CLOSED), { maxItems: 256 })),
};
schemaFor<RawApprovals>()(Type.Object(approvals));

export const approvalsSchema: TSchema = Type.Object(
  { ...approvals, notify: Type.Optional(Type.Array(notifySchema, { maxItems: 64 })) },
  CLOSED,
);
