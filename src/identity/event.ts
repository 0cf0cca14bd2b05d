import type { Clock } from '../core/clock.ts';
import type { AuditEvent, AuditType, EvidenceWriter, Json } from '../core/evidence.ts';
import { agentsOf, type Chain, currentOf, describeChain, type Grant, rootOf } from '../core/grant.ts';
import type { Origin } from '../core/login.ts';

/** The part of the evidence writer that this room needs. Rejects with Fault EVIDENCE_UNWRITABLE. */
export type AuditSink = Pick<EvidenceWriter, 'audit'>;

/** An event of this room. What is undefined is left out. */
export function eventOf(type: AuditType, clock: Clock, fields: Readonly<Record<string, Json | undefined>>): AuditEvent {
  const present: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) present[name] = value;
  return { ...present, v: 1, type, at: new Date(clock.now()).toISOString() };
}

/** Who a chain is, in every event that concerns it. */
export function chainFields(chain: Chain): Record<string, Json> {
  const root = rootOf(chain);
  return {
    grant: currentOf(chain).id,
    path: [...currentOf(chain).path],
    principal: root.principal.id,
    transaction: root.transaction,
    chain: describeChain(chain),
    agents: agentsOf(chain).map(({ id, kind, assurance }) => ({ id, kind, assurance })),
  };
}

/** What a grant says beyond its chain. */
export function grantFields(grant: Grant): Record<string, Json | undefined> {
  return {
    parent: grant.parent,
    groups: grant.parent === undefined ? [...grant.principal.groups] : undefined,
    caveats: toJson(grant.caveats),
    connect_by: new Date(grant.connectBy).toISOString(),
    expires: new Date(grant.expires).toISOString(),
    uses: grant.uses,
    delegable: grant.delegable,
    max_depth: grant.maxDepth,
    purpose: grant.purpose,
    provider: grant.parent === undefined ? grant.login?.provider : undefined,
    login_session: grant.parent === undefined ? grant.login?.session : undefined,
  };
}

export function originFields(origin: Origin): Record<string, Json> {
  return { address: origin.address, confidential: origin.confidential };
}

function toJson(value: object): Json {
  return JSON.parse(JSON.stringify(value));
}
