import type { Pack } from './pack.ts';

export const GDPR: Pack = {
  name: 'gdpr',
  about: 'personal data (GDPR)',
  labels: ['pii', 'secret'],
  detectors: ['email', 'phone', 'iban', 'ip', 'nino', 'passport', 'secret'],
  budgets: [{ label: 'pii', lookups: 100, rows: 5000 }],
  policies: `// For columns labelled pii. The group is an example: write yours.

// Article 15: who answers what a person's data is has to see it.
@id("pii-reveals")
permit (principal in Group::"data-protection", action == Action::"reveal", resource in Label::"pii");

@id("pii-looks-up")
permit (principal in Group::"data-protection", action == Action::"filter", resource in Label::"pii")
when { context.filter == "equality" };

// Article 9: religion, health, origin and the like choose no rows for anybody else, under whatever other permit.
@id("pii-special")
@reason("special categories of personal data (GDPR, article 9) are for data protection only")
forbid (principal, action in [Action::"reveal", Action::"filter"], resource in Label::"pii.special")
unless { principal in Group::"data-protection" };

// Article 25, by default: an agent that its parent merely named works with masks.
@id("pii-asserted-helpers")
@reason("an agent that has not proved who it is sees no personal data")
forbid (principal, action == Action::"reveal", resource in Label::"pii")
when { context.chain.weakest == "asserted" };
`,
  tests: `- name: data protection sees an address
  as: { name: paula, groups: [data-protection] }
  action: reveal
  resource: shop/shop/public/customers/email
  labels: [pii.email]
  expect: permit

- name: engineers do not
  as: { name: eve, groups: [engineering] }
  action: reveal
  resource: shop/shop/public/customers/email
  labels: [pii.email]
  expect: deny

- name: nor does a helper that its parent only named
  as: { name: paula, groups: [data-protection], agents: [{ name: helper, kind: tool, assurance: asserted }] }
  action: reveal
  resource: shop/shop/public/customers/email
  labels: [pii.email]
  expect: deny
  policies: [pii-asserted-helpers]
`,
};
