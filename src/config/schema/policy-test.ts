import { type TSchema, Type } from 'typebox';
import { ACTIONS, type Action } from '../../core/action.ts';
import { ASSURANCES, type Assurance } from '../../core/agent.ts';
import type { Binding } from '../../core/login.ts';
import { CLOSED, LINE, NAME, schemaFor } from './schema-for.ts';

/** One entry of a `*.test.yaml` beside the policies. */
export interface RawPolicyTest {
  name: string;
  as: {
    /** Defaults to the name. */
    id?: string;
    name: string;
    kind?: 'user' | 'workload';
    groups?: string[];
    /** Outermost first. */
    agents?: RawAgent[];
  };
  action: Action;
  /** Percent-encoded parts, as in policies; absent for actions on the gateway. */
  resource?: string;
  function?: boolean;
  labels?: string[];
  context?: {
    verb?: string;
    bounded?: boolean;
    count?: number;
    binding?: Binding;
    source?: string;
    at?: string;
    purpose?: string;
  };
  expect: 'permit' | 'hold' | 'deny';
  /** Ids of the policies that must have decided. */
  policies?: string[];
}

interface RawAgent {
  name: string;
  kind: string;
  assurance: Assurance;
  class?: string;
  rights?: 'delegated' | 'own';
  groups?: string[];
}

const line = Type.String(LINE);
const lines = Type.Array(line, { maxItems: 64 });

const agent = Type.Object(
  {
    name: line,
    kind: Type.String(NAME),
    assurance: Type.Enum([...ASSURANCES]),
    class: Type.Optional(Type.String(NAME)),
    rights: Type.Optional(Type.Enum(['delegated', 'own'])),
    groups: Type.Optional(lines),
  },
  CLOSED,
);

const context = Type.Object(
  {
    verb: Type.Optional(line),
    bounded: Type.Optional(Type.Boolean()),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    binding: Type.Optional(Type.Enum(['certificate', 'channel', 'scram', 'bearer', 'local'])),
    source: Type.Optional(line),
    at: Type.Optional(line),
    purpose: Type.Optional(line),
  },
  CLOSED,
);

const test = Type.Object(
  {
    name: line,
    as: Type.Object(
      {
        id: Type.Optional(line),
        name: line,
        kind: Type.Optional(Type.Enum(['user', 'workload'])),
        groups: Type.Optional(lines),
        agents: Type.Optional(Type.Array(agent, { maxItems: 8 })),
      },
      CLOSED,
    ),
    action: Type.Enum([...ACTIONS]),
    resource: Type.Optional(line),
    function: Type.Optional(Type.Boolean()),
    labels: Type.Optional(lines),
    context: Type.Optional(context),
    expect: Type.Enum(['permit', 'hold', 'deny']),
    policies: Type.Optional(lines),
  },
  CLOSED,
);

export const policyTestsSchema: TSchema = schemaFor<RawPolicyTest[]>()(Type.Array(test, { maxItems: 2000 }));
