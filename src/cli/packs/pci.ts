import type { Pack } from './pack.ts';

export const PCI: Pack = {
  name: 'pci',
  about: 'payment cards (PCI DSS 4)',
  labels: ['pci', 'secret'],
  detectors: ['card', 'secret'],
  budgets: [{ label: 'pci', lookups: 50, rows: 1000 }],
  policies: `// For columns labelled pci. The group is an example: write yours.

// PCI DSS 3.4.1: a card number is masked wherever it is shown, but to those whose work needs it whole.
@id("pci-reveals")
permit (principal in Group::"card-operations", action == Action::"reveal", resource in Label::"pci.pan");

// Finding the payment that a card made shows nobody else's.
@id("pci-looks-up")
permit (principal in Group::"card-operations", action == Action::"filter", resource in Label::"pci.pan")
when { context.filter == "equality" };

// 3.3: what authorises a payment is not kept after it. What was kept all the same is shown to nobody.
@id("pci-authentication-data")
@reason("verification codes, tracks and PINs of cards are shown to nobody")
forbid (principal, action in [Action::"reveal", Action::"filter"], resource in Label::"pci.sad");

// 7.2: need to know. An agent works with the mask.
@id("pci-people-only")
@reason("card data is shown to people in person, not to their agents")
forbid (principal, action == Action::"reveal", resource in Label::"pci")
unless { context.chain.agents.isEmpty() };
`,
  tests: `- name: card operations see a card number
  as: { name: carla, groups: [card-operations] }
  action: reveal
  resource: shop/shop/public/payments/card_number
  labels: [pci.pan]
  expect: permit

- name: their agents do not
  as: { name: carla, groups: [card-operations], agents: [{ name: report, kind: ci, assurance: attested }] }
  action: reveal
  resource: shop/shop/public/payments/card_number
  labels: [pci.pan]
  expect: deny
  policies: [pci-people-only]

- name: nobody sees a verification code
  as: { name: carla, groups: [card-operations] }
  action: reveal
  resource: shop/shop/public/payments/cvv
  labels: [pci.sad.cvv]
  expect: deny
  policies: [pci-authentication-data]
`,
};
