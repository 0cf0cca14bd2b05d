/**
 * How sure we are of an agent's identity, weakest first:
 * `asserted` (its parent named it), `authenticated` (own key or secret), `attested` (own OIDC or SVID token).
 */
export const ASSURANCES = ['asserted', 'authenticated', 'attested'] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** Who acts for somebody: a CI job, a service, an AI agent, a helper script. */
export interface Agent {
  /**
   * `<issuer>|<subject>` when attested or authenticated; `<parent grant id>/<name>` when asserted, so that a name
   * given by one parent can never be taken for another's.
   */
  readonly id: string;
  readonly name: string;
  /** Free word for people and policies: `ci`, `ai`, `tool`, `service`. */
  readonly kind: string;
  readonly assurance: Assurance;
  /** The class (identity provider or registration) it belongs to; policies may name it. */
  readonly class: string;
  /** `delegated`: permits come from the root principal alone. `own`: it needs its own permits as well. */
  readonly rights: 'delegated' | 'own';
  readonly groups: readonly string[];
}

export function weakest(assurances: readonly Assurance[]): Assurance {
  return ASSURANCES.find((level) => assurances.includes(level)) ?? 'attested';
}

/** What is told of an agent to people. */
export type AgentSummary = Pick<Agent, 'id' | 'name' | 'kind' | 'assurance'>;
