import { type TSchema, Type } from 'typebox';
import type { MaskStyle } from '../../core/obligation.ts';
import { MASK_STYLES } from '../../core/obligation.ts';
import { CLOSED, LINE, NAME, schemaFor } from './schema-for.ts';

export interface RawTarget {
  name: string;
  protocol: 'postgres';
  address: string;
  database: string;
  databases?: string[];
  tls?: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  ca?: string;
  credential: { user: string; password?: string };
  roles?: string[];
  labels?: string[];
  mode?: 'enforce' | 'observe';
  recording?: { mode?: 'required' | 'best-effort'; rows?: number };
  connections?: { most?: number; queue?: number };
  bypass?: 'all' | 'shared' | 'off';
  columns?: RawColumn[];
  budgets?: { label: string; lookups?: number; rows?: number }[];
  rows?: number;
  detect?: {
    detectors: string[];
    people?: 'observe' | 'mask' | 'deny';
    agents?: 'observe' | 'mask' | 'deny';
  };
}

export interface RawColumn {
  column: string;
  label: string;
  mask: MaskStyle;
  constant?: string;
  path?: string | string[];
  derive?: 'source' | 'deny';
}

// PostgreSQL cuts identifiers at NAMEDATALEN - 1 bytes, so a longer name could never mean what it says.
const identifier = Type.String({ ...LINE, maxLength: 63 });
const identifiers = Type.Array(identifier, { minItems: 1, maxItems: 256, uniqueItems: true });
const key = Type.String({ minLength: 1, maxLength: 256 });
const count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });
const then = Type.Enum(['observe', 'mask', 'deny']);

export const targetSchema: TSchema = schemaFor<RawTarget>()(
  Type.Object(
    {
      name: Type.String(NAME),
      protocol: Type.Enum(['postgres']),
      address: Type.String(LINE),
      database: identifier,
      databases: Type.Optional(identifiers),
      tls: Type.Optional(Type.Enum(['disable', 'require', 'verify-ca', 'verify-full'])),
      ca: Type.Optional(Type.String(LINE)),
      credential: Type.Object({ user: identifier, password: Type.Optional(Type.String()) }, CLOSED),
      roles: Type.Optional(identifiers),
      labels: Type.Optional(Type.Array(Type.String(), { maxItems: 64, uniqueItems: true })),
      mode: Type.Optional(Type.Enum(['enforce', 'observe'])),
      recording: Type.Optional(
        Type.Object(
          {
            mode: Type.Optional(Type.Enum(['required', 'best-effort'])),
            rows: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
          },
          CLOSED,
        ),
      ),
      connections: Type.Optional(
        Type.Object(
          {
            most: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
            queue: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
          },
          CLOSED,
        ),
      ),
      bypass: Type.Optional(Type.Enum(['all', 'shared', 'off'])),
      columns: Type.Optional(
        Type.Array(
          Type.Object(
            {
              column: Type.String(LINE),
              label: Type.String(),
              mask: Type.Enum([...MASK_STYLES]),
              constant: Type.Optional(Type.String({ maxLength: 256 })),
              path: Type.Optional(
                Type.Union([Type.String(LINE), Type.Array(key, { minItems: 1, maxItems: 16 })], {
                  says: 'keys joined by dots, or a list of keys',
                }),
              ),
              derive: Type.Optional(Type.Enum(['source', 'deny'])),
            },
            CLOSED,
          ),
          { maxItems: 10_000 },
        ),
      ),
      budgets: Type.Optional(
        Type.Array(
          Type.Object({ label: Type.String(), lookups: Type.Optional(count), rows: Type.Optional(count) }, CLOSED),
          { maxItems: 64 },
        ),
      ),
      rows: Type.Optional(count),
      detect: Type.Optional(
        Type.Object(
          {
            detectors: Type.Array(Type.String(), { minItems: 1, maxItems: 64, uniqueItems: true }),
            people: Type.Optional(then),
            agents: Type.Optional(then),
          },
          CLOSED,
        ),
      ),
    },
    CLOSED,
  ),
);
