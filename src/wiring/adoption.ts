import { setTimeout as sleep } from 'node:timers/promises';
import { type EndedSessions, endOthers, type OtherSessions, othersOf } from '../catalog/bypass/others.ts';
import { connectCatalog } from '../catalog/connection.ts';
import type { CatalogConnection } from '../catalog/ports.ts';
import { roleServer } from '../catalog/role-server.ts';
import type { AdoptionPlan, AdoptionService } from '../control/ports.ts';
import { asFault, Fault } from '../core/fault.ts';
import { randomBase62 } from '../core/id.ts';
import { makeVerifier } from '../identity/pass.ts';
import { Adoption } from '../secrets/adoption/adoption.ts';
import type { Password } from '../secrets/adoption/record.ts';
import { verifierText } from '../secrets/adoption/verifier.ts';
import type { Foundation } from './foundation.ts';
import { systemClock, systemRandom } from './system.ts';
import { credentialOf, roleOf, type Targets, type WiredTarget } from './targets.ts';

/** Digits of a generated password: 238 bits. */
const PASSWORD_LENGTH = 40;
/** Milliseconds that logins under way get before the password changes. */
const DRAIN = 1_000;
/** Milliseconds until other nodes have told of their connections. */
const TOLD_WITHIN = 4_000;

/** Takes over passwords of roles at their servers, and gives them back. */
export function adoptionService(targets: () => Targets, foundation: Foundation): AdoptionService {
  const { adoptions, backends } = foundation;
  const ours = () => backends.ours();
  const find = (name: string): WiredTarget => {
    const wired = targets().get(name);
    if (wired === undefined) throw new Fault('TARGET_UNKNOWN', `there is no target ${name}`);
    return wired;
  };
  const adoptionOf = (wired: WiredTarget): Adoption => {
    const { target, config } = wired;
    const { user } = config.credential;
    return new Adoption(roleOf(target, user), adoptions, {
      server: roleServer(target, user, backends),
      configured: () => configuredOf(wired, foundation),
      verifier: async (password) => verifierText((await makeVerifier(password, systemRandom)).scram),
      newPassword: () => randomBase62(systemRandom, PASSWORD_LENGTH),
      now: () => systemClock.now(),
      drain: () => sleep(DRAIN),
    });
  };
  const connected = async <T>(wired: WiredTarget, use: (connection: CatalogConnection) => Promise<T>): Promise<T> => {
    const { target, config } = wired;
    const credential = await credentialOf(targets(), target.name, config.credential.user, foundation);
    const login = { ...credential, backends, purpose: 'adopt', writes: true } as const;
    const connection = await connectCatalog(target, target.database, login);
    try {
      return await use(connection);
    } finally {
      await connection.end();
    }
  };
  return {
    plan: async (name) => {
      const wired = find(name);
      const { user } = wired.config.credential;
      const others: OtherSessions | { readonly unknown: string } = await connected(wired, (connection) =>
        othersOf(connection, user, { ours, now: systemClock.now() }),
      ).catch((thrown: unknown) => ({ unknown: messageOf(thrown) }));
      return { ...(await aboutRole(wired, targets(), foundation)), others };
    },
    adopt: async (name, by, { endOthers: ends }) => {
      const wired = find(name);
      const began = systemClock.monotonic();
      const { oldStillWorks } = await adoptionOf(wired).adopt(by);
      if (!ends) return { oldStillWorks, ended: undefined };
      const { workers } = await ours();
      if (workers > 0) await sleep(TOLD_WITHIN);
      const age = () => systemClock.monotonic() - began;
      const ended = await connected(wired, (connection) =>
        endOthers(connection, wired.config.credential.user, { ours, age }),
      ).catch((thrown: unknown): EndedSessions => ({ ended: 0, problems: [messageOf(thrown)] }));
      return { oldStillWorks, ended };
    },
    undo: (name, by) => adoptionOf(find(name)).undo(by),
    forget: (name, by) => adoptionOf(find(name)).forget(by),
  };
}

/** Says of a change of the password that was begun and whose end was not heard of. */
export async function unfinished({ target, config }: WiredTarget, { adoptions }: Foundation): Promise<string[]> {
  const next = (await adoptions.get(roleOf(target, config.credential.user)))?.record.next;
  if (next === undefined) return [];
  const command = `sallyport targets adopt ${target.name}${next.doing === 'undo' ? ' --undo' : ''} --yes`;
  return [`a change of the role's password was begun and did not end; if nobody is at it, "${command}" ends it`];
}

/** What can be said of the role without its server. */
async function aboutRole(
  { target, config }: WiredTarget,
  targets: Targets,
  { adoptions }: Foundation,
): Promise<Omit<AdoptionPlan, 'others'>> {
  const { user, password } = config.credential;
  const role = roleOf(target, user);
  const same = [...targets.values()].filter((other) => {
    return other.target.name !== target.name && other.config.credential.user === user;
  });
  const shares = (other: WiredTarget) => roleOf(other.target, user).address === role.address;
  const record = (await adoptions.get(role))?.record;
  return {
    target: target.name,
    ...role,
    from: record !== undefined ? record.from : password && `${password.scheme}:${password.name}`,
    configured: password && `${password.scheme}:${password.name}`,
    adopted: record && {
      at: record.at,
      by: record.by,
      undo: record.old !== undefined,
      pending: record.next !== undefined,
    },
    shared: same.filter(shares).map((other) => other.target.name),
    alike: same.filter((other) => !shares(other)).map((other) => other.target.name),
  };
}

/** A reference that cannot be read any more says nothing. */
async function configuredOf({ config }: WiredTarget, { resolve }: Foundation): Promise<Password | undefined> {
  const { password: reference } = config.credential;
  if (reference === undefined) return undefined;
  try {
    return { password: await resolve(reference), from: `${reference.scheme}:${reference.name}` };
  } catch (thrown) {
    if (asFault(thrown).code === 'SECRET_UNAVAILABLE') return undefined;
    throw thrown;
  }
}

function messageOf(thrown: unknown): string {
  const { message, cause } = asFault(thrown);
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
