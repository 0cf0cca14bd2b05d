/** Everything policy can be asked about. Cedar action groups (`read`, `write`) are in policy/schema. */
export const ACTIONS = [
  // connecting
  'connect',
  'impersonate', // connect as an upstream role other than the target's default
  // statements
  'select',
  'insert',
  'update',
  'delete',
  'truncate',
  'ddl',
  'copy-in',
  'copy-out',
  'lock',
  'introspect', // catalog relations on the allow-list
  'execute', // a function that is not vetted
  'opaque', // what cannot be read: DO, procedural bodies, unknown utilities
  'admin', // server files, programs, roles, pinned settings
  // columns with a label
  'reveal',
  'filter',
  'assign',
  // the gateway itself
  'gateway-admin',
  'gateway-approve',
  'gateway-audit',
] as const;
export type Action = (typeof ACTIONS)[number];

/** Never granted by a policy whose action scope does not name them: a plain `permit(principal, action, resource)` does not reach these. */
export const NAMED_ACTIONS: ReadonlySet<Action> = new Set<Action>([
  'reveal',
  'filter',
  'assign',
  'admin',
  'opaque',
  'impersonate',
  'execute',
]);
