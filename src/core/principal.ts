/** Who it is about: a person or a workload, known by the issuer that vouches for it and the subject it is there. */
export interface Principal {
  readonly kind: 'user' | 'workload';
  /** `<issuer>|<subject>`; never a display name, never an e-mail address. */
  readonly id: PrincipalId;
  /** What people read, e.g. an e-mail address. Carries no authority. */
  readonly name: string;
  /** Group names as the provider gave them at the last login, prefixed by nothing. */
  readonly groups: readonly string[];
  /** Whom the provider calls their manager, where it is asked for that. */
  readonly manager?: PrincipalId;
}

export type PrincipalId = string;

export function principalId(issuer: string, subject: string): PrincipalId {
  return `${issuer}|${subject}`;
}
