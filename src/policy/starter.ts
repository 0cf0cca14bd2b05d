import { encodePart } from '../core/resource.ts';
import type { PolicySource } from './load.ts';
import { quoted } from './messages.ts';

/** The approval rules the starter policies name; the configuration written beside them must have them. */
export const STARTER_RULES: readonly string[] = ['dba-oncall'];

/** Policies to start from, for a first target: read them, change them, they are yours. */
export function starterPolicies(target: string): readonly PolicySource[] {
  return [
    { name: 'guardrails.cedar', text: GUARDRAILS },
    { name: 'people.cedar', text: PEOPLE.replaceAll('TARGET', () => quoted(encodePart(target))) },
    { name: 'gateway.cedar', text: GATEWAY },
  ];
}

const GUARDRAILS = `// What nobody may do, whoever permits it. A forbid beats every permit. One with @approval("rule") is lifted, for one
// very statement, by the people that rule asks; one without is lifted by nobody.

@id("bounded-writes")
@reason("UPDATE and DELETE need a WHERE that picks rows by comparing a column with a value")
forbid (principal, action in [Action::"update", Action::"delete"], resource)
when { !context.statement.bounded };

@id("truncate-by-approval")
@approval("dba-oncall")
forbid (principal, action == Action::"truncate", resource in Label::"prod");

@id("prod-ddl")
@approval("dba-oncall")
@reason("changing the structure of a production database is looked at first")
forbid (principal, action == Action::"ddl", resource in Label::"prod");

// A helper that its parent merely named has proved nothing about itself.
@id("asserted-helpers-read-only")
@reason("an agent that has not proved who it is may only read")
forbid (
  principal,
  action in [Action::"write", Action::"ddl", Action::"execute", Action::"opaque", Action::"admin", Action::"impersonate"],
  resource
)
when { context.chain.weakest == "asserted" };

// Stronger: writes only when the credential was tied to the connection. Remove the slashes to switch it on.
// @id("bound-writes")
// forbid (principal, action in Action::"write", resource)
// unless { ["certificate", "channel", "local"].contains(context.chain.binding) };
`;

const PEOPLE = `// Who may do what. Groups are those of your identity provider. Labelled columns come back masked unless a policy names
// "reveal"; choosing rows by them needs "filter", writing them "assign".

@id("support-connects")
permit (principal in Group::"support", action == Action::"connect", resource in Target::TARGET);

@id("engineers-connect")
permit (principal in Group::"engineering", action == Action::"connect", resource in Target::TARGET);

// Names of tables and columns, for everybody who may connect: psql's \\d, drivers and tools need them.
@id("introspect")
permit (principal, action == Action::"introspect", resource);

@id("support-reads")
permit (principal in Group::"support", action in Action::"read", resource in Target::TARGET);

// Looking a customer up by e-mail address, without seeing the addresses of others.
@id("support-looks-up")
permit (principal in Group::"support", action == Action::"filter", resource in Label::"pii.email")
when { context.filter == "equality" };

@id("engineers-work")
permit (
  principal in Group::"engineering",
  action in [Action::"read", Action::"write", Action::"ddl"],
  resource in Target::TARGET
);

// Somebody who must see real addresses:
// @id("fraud-reveals")
// permit (principal in Group::"fraud", action == Action::"reveal", resource in Label::"pii.email");
`;

const GATEWAY = `// The gateway itself. Whoever owns the process is admin through its local socket; these are for everybody else.

@id("admins")
permit (
  principal in Group::"sallyport-admins",
  action in [Action::"gateway-admin", Action::"gateway-audit"],
  resource == Gateway::"sallyport"
);

@id("approvers")
permit (principal in Group::"dba", action == Action::"gateway-approve", resource == Gateway::"sallyport");

@id("auditors")
permit (principal in Group::"auditors", action == Action::"gateway-audit", resource == Gateway::"sallyport");

@id("auditors-do-not-connect")
@reason("an auditor looks at the evidence, not at the targets")
forbid (principal in Group::"auditors", action in [Action::"connect", Action::"impersonate"], resource);
`;
