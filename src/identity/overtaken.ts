import type { Revocation, RevocationSubject } from '../core/feed.ts';
import type { GrantStore } from './ports.ts';
import type { VerifiedToken } from './providers.ts';

/**
 * Why a token says nothing any more although it is in time: whom it names was cut off, or taken out of a group it
 * vouches for, after it was issued. Who is welcome again logs in anew; the token of before must not be another way to
 * the pass that was ended. To be asked once the grant is in the store: what is revoked later finds it there.
 */
export async function overtaken(
  token: VerifiedToken,
  grants: Pick<GrantStore, 'revocations'>,
): Promise<string | undefined> {
  const { principal, agent, provider, session, issuedAt } = token;
  const login = session === undefined ? undefined : `${provider}|${session}`;
  const ids = [...new Set([principal.id, agent?.id, login])].filter((id) => id !== undefined);
  const revoked = await grants.revocations({ ids });
  const concerns = (subject: RevocationSubject): boolean => {
    switch (subject.kind) {
      case 'principal':
        return subject.id === principal.id;
      case 'membership':
        return subject.id === principal.id && principal.groups.includes(subject.group);
      case 'agent':
        return subject.id === agent?.id;
      case 'login':
        return subject.id === login;
      default:
        return false;
    }
  };
  const later = revoked.find((one) => concerns(one.subject) && issuedAt <= lastWord(one));
  if (later === undefined) return undefined;
  const { subject } = later;
  return subject.kind === 'membership' ? `membership of ${subject.group} was revoked` : `${subject.kind} was revoked`;
}

/** Until when tokens count as being of before. */
function lastWord({ at, lifted }: Revocation): number {
  return lifted?.at ?? at;
}
