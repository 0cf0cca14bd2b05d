import { type TSchema, Type } from 'typebox';
import { CLOSED, LINE, NAME, schemaFor } from './schema-for.ts';

export interface RawProvider {
  name: string;
  kind: 'people' | 'workload';
  issuer: string;
  audience: string;
  groups_claim?: string;
  name_claim?: string;
  manager_claim?: string;
  match?: Record<string, string | number | boolean>;
  agent?: string;
  rights?: 'delegated' | 'own';
}

export interface RawIdentity {
  providers?: RawProvider[];
}

const claim = Type.Union([
  Type.String({ maxLength: 512 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  Type.Boolean(),
]);

const provider = Type.Object(
  {
    name: Type.String(NAME),
    kind: Type.Enum(['people', 'workload']),
    issuer: Type.String(LINE),
    audience: Type.String(LINE),
    groups_claim: Type.Optional(Type.String(LINE)),
    name_claim: Type.Optional(Type.String(LINE)),
    manager_claim: Type.Optional(Type.String(LINE)),
    match: Type.Optional(Type.Record(Type.String(), claim, { ...CLOSED, minProperties: 1, maxProperties: 32 })),
    agent: Type.Optional(Type.String({ ...NAME, maxLength: 32 })),
    rights: Type.Optional(Type.Enum(['delegated', 'own'])),
  },
  CLOSED,
);

export const identitySchema: TSchema = schemaFor<RawIdentity>()(
  Type.Object({ providers: Type.Optional(Type.Array(provider, { maxItems: 64 })) }, CLOSED),
);
