import { ACTIONS, type Action } from '../core/action.ts';
import { ACTION_GROUPS } from '../core/caveats.ts';

/**
 * The vocabulary of policies as a Cedar schema: policies are validated against it when they are loaded, so that a
 * misspelt attribute is found before it decides anything. Requests are not checked against it at run time; a test
 * proves that the ones we build fit.
 */

const PARTS = ['Database', 'Schema', 'Table', 'Column', 'Function'] as const;

/** Which resources an action can be asked about. */
const RESOURCES: Readonly<Record<Action, readonly string[]>> = {
  connect: ['Target', 'Database'],
  impersonate: ['Target', 'Database'],
  select: PARTS,
  insert: PARTS,
  update: PARTS,
  delete: PARTS,
  truncate: PARTS,
  ddl: ['Target', ...PARTS],
  'copy-in': PARTS,
  'copy-out': PARTS,
  lock: PARTS,
  introspect: PARTS,
  execute: PARTS,
  opaque: ['Target', ...PARTS],
  admin: ['Target', ...PARTS, 'Setting'],
  reveal: ['Column'],
  filter: ['Column'],
  assign: ['Column'],
  'gateway-admin': ['Gateway'],
  'gateway-approve': ['Gateway'],
  'gateway-audit': ['Gateway'],
};

/** The action group (`read`, `write`) an action belongs to. */
export function groupOf(action: Action): 'read' | 'write' | undefined {
  if (ACTION_GROUPS.read.includes(action)) return 'read';
  return ACTION_GROUPS.write.includes(action) ? 'write' : undefined;
}

function actionDeclaration(action: Action): string {
  const group = groupOf(action);
  const inside = group ? ` in ["${group}"]` : '';
  const resources = RESOURCES[action].join(', ');
  return `action "${action}"${inside} appliesTo { principal: [User, Workload, Agent], resource: [${resources}], context: Context };`;
}

export const SCHEMA: string = `
entity Group;
entity User in [Group];
entity Workload in [Group];
// Evaluated for forbids; for permits only when its class has rights of its own.
entity Agent in [Group] { kind: String, class: String, assurance: String };

entity Label in [Label];
entity Gateway { name: String };
entity Target in [Label] { name: String };
entity Database in [Target, Label] { name: String };
entity Setting in [Database, Label] { name: String };
entity Schema in [Database, Label] { name: String };
entity Function in [Schema, Label] { name: String };
entity Table in [Schema, Label] { name: String };
entity Column in [Table, Label] { name: String };

type Context = {
  statement: {
    verb: String,
    bounded: Bool,
    count: Long,
  },
  chain: {
    root: String,
    actor: String,
    depth: Long,
    // Ids of every agent, and what they are. An asserted agent's kind is its parent's word: use kinds to forbid.
    agents: Set<String>,
    kinds: Set<String>,
    // Classes of agents that proved who they are.
    classes: Set<String>,
    weakest: String,
    binding: String,
    purpose?: String,
  },
  // Absent on the local socket.
  source?: ipaddr,
  now: datetime,
  // What a filter does: "equality" compares the column with constants, "any" may be a range, a pattern, an order, a join.
  filter: String,
};

action "read", "write";
${ACTIONS.map(actionDeclaration).join('\n')}
`;
