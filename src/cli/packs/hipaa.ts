import type { Pack } from './pack.ts';

export const HIPAA: Pack = {
  name: 'hipaa',
  about: 'health data (HIPAA, 45 CFR 164)',
  labels: ['phi', 'pii', 'secret'],
  // Not among the identifiers of 164.514(b)(2).
  except: ['pii.special'],
  detectors: ['ssn', 'email', 'phone', 'ip', 'secret'],
  budgets: [
    { label: 'phi', lookups: 100, rows: 2000 },
    { label: 'pii', lookups: 100, rows: 5000 },
  ],
  policies: `// For columns labelled phi, and those labelled pii, which tell whose they are. The group is an example: write yours.

// 164.502(b), the minimum necessary: who treats a patient sees the record, everybody else a mask.
@id("phi-reveals")
permit (principal in Group::"care-team", action == Action::"reveal", resource in Label::"phi");

@id("phi-looks-up")
permit (principal in Group::"care-team", action == Action::"filter", resource in Label::"phi.mrn")
when { context.filter == "equality" };

// 164.312(b): an agent that sees health data says what for, and it is in the audit log.
@id("phi-purpose")
@reason("an agent sees health data with a pass that says what for: sallyport pass issue --purpose …")
forbid (principal, action == Action::"reveal", resource in Label::"phi")
unless { context.chain.agents.isEmpty() || context.chain has purpose };

@id("phi-asserted-helpers")
@reason("an agent that has not proved who it is sees no health data")
forbid (principal, action == Action::"reveal", resource in Label::"phi")
when { context.chain.weakest == "asserted" };
`,
  tests: `- name: the care team sees a diagnosis
  as: { name: dora, groups: [care-team] }
  action: reveal
  resource: shop/shop/public/visits/diagnosis
  labels: [phi.diagnosis]
  expect: permit

- name: an agent sees it with a purpose
  as: { name: dora, groups: [care-team], agents: [{ name: summary, kind: ci, assurance: attested }] }
  action: reveal
  resource: shop/shop/public/visits/diagnosis
  labels: [phi.diagnosis]
  context: { purpose: discharge letter }
  expect: permit

- name: and not without
  as: { name: dora, groups: [care-team], agents: [{ name: summary, kind: ci, assurance: attested }] }
  action: reveal
  resource: shop/shop/public/visits/diagnosis
  labels: [phi.diagnosis]
  expect: deny
  policies: [phi-purpose]
`,
};
