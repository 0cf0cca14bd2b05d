import type { OwnBackends } from '../core/backends.ts';
import { asFault, Fault } from '../core/fault.ts';
import type { Target } from '../core/target.ts';
import { connectCatalog } from './connection.ts';
import { literal } from './literal.ts';
import type { CatalogConnection } from './ports.ts';

export interface LoggedInRole {
  setVerifier(verifier: string): Promise<'set' | { readonly refused: string }>;
  close(): Promise<void>;
}

export interface RoleLogins {
  /** Undefined where the server refuses the password. Throws Fault TARGET_UNREACHABLE where nobody can tell. */
  logIn(password: string): Promise<LoggedInRole | undefined>;
}

/** Logs in as a role, and changes its own password there. */
export function roleServer(target: Target, user: string, backends: OwnBackends): RoleLogins {
  return {
    logIn: async (password) => {
      const login = { user, password, role: undefined, backends, purpose: 'adopt', writes: true } as const;
      try {
        const connection = await connectCatalog(target, target.database, login);
        return { setVerifier: (verifier) => setVerifier(connection, verifier), close: () => connection.end() };
      } catch (thrown) {
        if (stateOf(thrown)?.startsWith('28')) return undefined;
        const { cause } = asFault(thrown);
        const why = cause instanceof Error ? `: ${cause.message}` : '';
        throw new Fault('TARGET_UNREACHABLE', `target ${target.name} cannot be reached${why}`, { cause: thrown });
      }
    },
  };
}

/** A verifier has no quotes or backslashes; the role changes itself, for which it needs no right. */
async function setVerifier(
  connection: CatalogConnection,
  verifier: string,
): Promise<'set' | { readonly refused: string }> {
  try {
    await connection.query(`alter role current_user password ${literal(verifier)}`);
    return 'set';
  } catch (thrown) {
    const state = stateOf(thrown);
    // Connection exceptions, and what an operator or a timeout interrupted: it may have been done.
    if (state === undefined || /^(08|57)/.test(state))
      throw new Fault('TARGET_UNREACHABLE', 'nobody can tell whether the server changed the password', {
        cause: thrown,
      });
    const { cause } = asFault(thrown);
    return { refused: `${state} ${cause instanceof Error ? cause.message : ''}`.trim() };
  }
}

/** SQLSTATE, where the server gave one. */
function stateOf(thrown: unknown): string | undefined {
  const { cause } = asFault(thrown);
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : undefined;
}
