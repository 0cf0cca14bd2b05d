import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DevIdp, startDevIdp } from './dev-idp.ts';
import { type PostgresOptions, startPostgres, type ThrowawayPostgres } from './postgres.ts';
import { SHOP_PASSWORD, SHOP_USER, stockShop } from './shop.ts';

/**
 * Everything around a gateway: an identity provider, a real PostgreSQL with a shop in it, and a configuration that
 * knows both. The gateway itself is started by whoever asked. Two targets lead to the same server: `shop`, with labels
 * and the policies of a small company, and `lab`, where everything is permitted and nothing labelled.
 */
export interface World {
  readonly idp: DevIdp;
  readonly postgres: ThrowawayPostgres;
  /** Path of sallyport.yaml. */
  readonly config: string;
  readonly directory: string;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** Where configuration, policies and the gateway's data go. */
  readonly directory: string;
  readonly postgres?: PostgresOptions;
  /** 0 picks free ports. */
  readonly ports?: { readonly https: number; readonly postgres: number; readonly health: number };
  /** More lines for `sallyport.yaml`, at its top level. */
  readonly more?: string;
  /** Lines below `approvals:`, in place of one rule that asks the DBAs. */
  readonly approvals?: string;
  /** More lines for the target `shop`. */
  readonly shop?: string;
  /** More policies, by file name. */
  readonly policies?: Readonly<Record<string, string>>;
}

const ANY_PORT = { https: 0, postgres: 0, health: 0 };

export async function startWorld(options: WorldOptions): Promise<World> {
  const { directory, ports = ANY_PORT, more = '', shop = '', approvals = ASK_DBAS, policies = {} } = options;
  // First what may fail: nothing is left behind then.
  const postgres = await startPostgres(options.postgres);
  const idp = await startDevIdp();
  await stockShop(postgres);
  await postgres.query(`create database lab owner ${SHOP_USER}`);
  mkdirSync(join(directory, 'policies'), { recursive: true });
  const config = join(directory, 'sallyport.yaml');
  writeFileSync(config, `${configuration({ idp, postgres, ports, shop, approvals })}${more}`);
  writeFileSync(join(directory, 'shop-password'), SHOP_PASSWORD, { mode: 0o600 });
  for (const [name, text] of Object.entries({ 'shop.cedar': SHOP_POLICIES, 'lab.cedar': LAB_POLICIES, ...policies })) {
    writeFileSync(join(directory, 'policies', name), text);
  }
  return {
    idp,
    postgres,
    config,
    directory,
    close: async () => {
      await Promise.all([idp.close(), postgres.stop()]);
    },
  };
}

interface Parts {
  readonly idp: DevIdp;
  readonly postgres: ThrowawayPostgres;
  readonly ports: NonNullable<WorldOptions['ports']>;
  readonly shop: string;
  readonly approvals: string;
}

const ASK_DBAS = '  rules:\n    - { name: dba-oncall, ask: [dba] }\n';

function configuration({ idp, postgres, ports, shop, approvals }: Parts): string {
  const target = (name: string) => `  - name: ${name}
    protocol: postgres
    address: ${postgres.host}:${postgres.port}
    tls: disable
    credential: { user: ${SHOP_USER}, password: "file:shop-password" }
`;
  return `version: 1
data: ./var
url: https://localhost:${ports.https === 0 ? 7443 : ports.https}
node: demo

listen:
  https: 127.0.0.1:${ports.https}
  postgres: 127.0.0.1:${ports.postgres}
  health: 127.0.0.1:${ports.health}

identity:
  providers:
    - { name: staff, kind: people, issuer: "${idp.issuer}", audience: ${idp.clientId}, groups_claim: groups, name_claim: email }
    - { name: ci, kind: workload, issuer: "${idp.ciIssuer}", audience: sallyport, match: { repository: acme/shop }, agent: ci, rights: delegated }

targets:
${target('shop')}    database: shop
    labels: [prod]
    columns:
      - { column: public.customers.email, label: pii.email, mask: email }
      - { column: public.customers.ssn, label: pii.ssn, mask: redact }
      - { column: public.customers.phone, label: pii.phone, mask: partial }
      - { column: public.customers.born, label: pii.born, mask: date }
      - { column: public.devices.info, label: pii.ssn, mask: redact, path: owner.ssn }
      - { column: public.staff.api_key, label: secret, mask: "null" }
    detect: { detectors: [card, ssn, email], people: mask, agents: mask }
${shop}${target('lab')}    database: lab

approvals:
${approvals}
policies: ./policies
`;
}

const SHOP_POLICIES = `
@id("staff-connects")
permit (
  principal,
  action == Action::"connect",
  resource == Target::"shop"
)
when { principal in Group::"support" || principal in Group::"dba" || principal in Group::"contractors" };

@id("introspect")
permit (principal, action == Action::"introspect", resource);

@id("support-reads")
permit (principal in Group::"support", action in Action::"read", resource in Schema::"shop/shop/public");

@id("support-writes-orders")
permit (
  principal in Group::"support",
  action in [Action::"insert", Action::"update", Action::"delete"],
  resource in Table::"shop/shop/public/orders"
);

@id("contractors-read-orders")
permit (principal in Group::"contractors", action == Action::"select", resource in Table::"shop/shop/public/orders");

@id("dba-does")
permit (principal in Group::"dba", action, resource in Target::"shop");

@id("dba-reveals")
permit (
  principal in Group::"dba",
  action in [Action::"reveal", Action::"filter", Action::"assign"],
  resource in Target::"shop"
);

@id("bounded-writes")
@reason("DELETE and UPDATE need a WHERE clause that picks rows")
forbid (principal, action in [Action::"update", Action::"delete"], resource in Target::"shop")
when { !context.statement.bounded };

@id("prod-ddl")
@approval("dba-oncall")
@reason("changing the structure of production is looked at first")
forbid (principal, action in [Action::"ddl", Action::"truncate"], resource in Label::"prod");

@id("asserted-helpers-read-only")
@reason("an agent that has not proved who it is may only read")
forbid (principal, action in Action::"write", resource in Target::"shop")
when { context.chain.weakest == "asserted" };

@id("admins")
permit (
  principal in Group::"admins",
  action in [Action::"gateway-admin", Action::"gateway-audit"],
  resource == Gateway::"sallyport"
);

@id("approvers")
permit (principal in Group::"dba", action == Action::"gateway-approve", resource == Gateway::"sallyport");

@id("auditors")
permit (principal in Group::"auditors", action == Action::"gateway-audit", resource == Gateway::"sallyport");
`;

/** Everything, named actions by name: a database where the gateway only watches. */
const LAB_POLICIES = `
@id("lab")
permit (principal, action, resource in Target::"lab");

@id("lab-named")
permit (
  principal,
  action in [Action::"admin", Action::"opaque", Action::"execute", Action::"impersonate", Action::"reveal", Action::"filter", Action::"assign"],
  resource in Target::"lab"
);
`;
