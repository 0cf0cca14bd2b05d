import { type TSchema, Type } from 'typebox';
import { approvalsSchema, type RawApprovals } from './approvals.ts';
import { identitySchema, type RawIdentity } from './identity.ts';
import { CLOSED, LINE, NAME, schemaFor } from './schema-for.ts';
import { type RawTarget, targetSchema } from './target.ts';

/** The file as written, once it fits the schema. `build.ts` turns it into a `Config`. */
export interface RawConfig extends RawGateway {
  identity?: RawIdentity;
  approvals?: RawApprovals;
  targets?: RawTarget[];
}

interface RawGateway {
  version: 1;
  data?: string;
  url: string;
  node?: string;
  store?: string;
  managed?: 'files';
  listen?: { https?: string; postgres?: string; health?: string };
  tls?: { certificate: string; key: string };
  evidence?: { durability?: 'process' | 'power' };
  feed_grace?: number;
  limits?: {
    connections?: number;
    connections_per_source?: number;
    logins_per_source?: number;
    login_timeout?: number;
  };
  detectors?: { name: string; pattern: string }[];
  policies?: string;
}

const line = Type.String(LINE);

const gateway = {
  version: Type.Literal(1),
  data: Type.Optional(line),
  url: line,
  node: Type.Optional(Type.String({ ...NAME, maxLength: 32 })),
  store: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
  managed: Type.Optional(Type.Literal('files')),
  listen: Type.Optional(
    Type.Object({ https: Type.Optional(line), postgres: Type.Optional(line), health: Type.Optional(line) }, CLOSED),
  ),
  tls: Type.Optional(Type.Object({ certificate: line, key: line }, CLOSED)),
  evidence: Type.Optional(Type.Object({ durability: Type.Optional(Type.Enum(['process', 'power'])) }, CLOSED)),
  feed_grace: Type.Optional(Type.Integer({ minimum: 2, maximum: 3600 })),
  limits: Type.Optional(
    Type.Object(
      {
        connections: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
        connections_per_source: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
        logins_per_source: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
        login_timeout: Type.Optional(Type.Integer({ minimum: 1, maximum: 600 })),
      },
      CLOSED,
    ),
  ),
  detectors: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.String(NAME), pattern: Type.String({ minLength: 1, maxLength: 512 }) }, CLOSED),
      {
        maxItems: 64,
      },
    ),
  ),
  policies: Type.Optional(line),
};

schemaFor<RawGateway>()(Type.Object(gateway));

export const configSchema: TSchema = Type.Object(
  {
    ...gateway,
    identity: Type.Optional(identitySchema),
    approvals: Type.Optional(approvalsSchema),
    targets: Type.Optional(Type.Array(targetSchema, { maxItems: 1000 })),
  },
  CLOSED,
);
