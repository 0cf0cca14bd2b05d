/** What differs in the target of the sample: lines of YAML. */
export interface SampleTarget {
  readonly columns: readonly string[];
  /** None: an example that is commented out. */
  readonly budgets: readonly string[];
  readonly detectors: readonly string[];
}

const SHOP: SampleTarget = {
  columns: [
    '- { column: public.customers.email, label: pii.email, mask: email }',
    '- { column: "*.*.ssn", label: pii.ssn, mask: redact }',
  ],
  budgets: [],
  detectors: ['card', 'ssn', 'email'],
};

/**
 * The file that `sallyport init` writes: loads as it is. A `#` with one space after it is prose; any other is
 * configuration to be switched on by taking the `#` away (a test does, and loads the result).
 */
export function sampleConfig({ columns, budgets, detectors }: SampleTarget = SHOP): string {
  return SAMPLE.replace('COLUMNS', () => columns.map((line) => `      ${line}\n`).join(''))
    .replace('BUDGETS', () =>
      budgets.length === 0
        ? '    #budgets:\n    #  - { label: pii, lookups: 100, rows: 5000 }\n'
        : `    budgets:\n${budgets.map((line) => `      ${line}\n`).join('')}`,
    )
    .replace('DETECTORS', () => detectors.join(', '));
}

const SAMPLE = `# Sallyport. Check this file with "sallyport check"; it names file, line and column of whatever is wrong.
#
# A secret never stands here. Say where it is instead:
# - env:NAME      an environment variable of the gateway
# - file:PATH     a file, relative to this one
# - sealed:NAME   in the gateway's store, encrypted ("sallyport targets seal NAME" puts it there)
version: 1

# Evidence, keys and the embedded database live here. Only the gateway's own user may read it.
data: ./var

# How clients reach this gateway. It is also the issuer of its tokens.
url: https://localhost:7443

# Every event and session carries the node's name. Nodes that share a store need different ones.
node: gw-1

# "embedded" runs a private PostgreSQL in the data folder. Several nodes share one of yours:
#store: env:SALLYPORT_STORE     # postgres://user:password@host/database
store: embedded

listen:
  https: 127.0.0.1:7443         # API and token exchange
  postgres: 127.0.0.1:7432      # psql and every other PostgreSQL client
  health: 127.0.0.1:7464        # /healthz, /readyz, /metrics; keep it on loopback

# Without this, a certificate authority and a certificate are generated in data/tls.
#tls:
#  certificate: file:tls/cert.pem
#  key: file:tls/key.pem

# "process" survives a crash of the gateway; "power" waits for the disk before an operation goes through.
evidence:
  durability: process

# Seconds that revocations may go unheard (the store is down) before sessions are ended. Operations pause after two.
feed_grace: 60

# What clients may take up: connections in all, from one address, and from one address before they have proved who they
# are; seconds they have for that.
#limits: { connections: 20000, connections_per_source: 2000, logins_per_source: 500, login_timeout: 30 }

# Who vouches for people and for workloads. Without any, only the local socket's owner gets in.
#identity:
#  providers:
#    - name: corp
#      kind: people
#      issuer: https://id.example.com
#      audience: sallyport               # the client id registered there
#      groups_claim: groups
#      name_claim: email
#    - name: github
#      kind: workload
#      issuer: https://token.actions.githubusercontent.com
#      audience: https://sallyport.example.com
#      match: { repository_id: "123456", ref_protected: "true" }   # all must be equal
#      agent: ci                         # what policies call it
#      rights: delegated                 # may do what the person it acts for may; "own": needs permits of its own too

targets:
  - name: shop
    protocol: postgres
    address: 127.0.0.1:5432
    database: shop
    # Another machine is verified in full unless you say otherwise; on loopback the default is "disable".
    #tls: verify-full           # or verify-ca, require, disable
    #ca: file:tls/shop-ca.pem   # absent: the authorities the system trusts
    credential: { user: shop_app, password: env:SHOP_PASSWORD }
    labels: [prod]
    mode: enforce               # "observe" decides and records, and enforces guardrails only
    recording: { mode: required, rows: 1000 }
    connections: { most: 50, queue: 100 }
    bypass: all                 # tell of sessions that do not come through here; "shared": of the roles above; "off"
    # Labelled columns come back masked to everybody whom no policy lets "reveal" them.
    # "sallyport targets discover shop" proposes some.
    columns:
COLUMNS    # What one person may use of a label in an hour, together with every agent that acts for them.
BUDGETS    # Detectors look for values in columns that have no label.
    detect: { detectors: [DETECTORS], people: observe, agents: mask }

# Detectors of your own: RE2 patterns.
#detectors:
#  - { name: order-key, pattern: "ORD-[0-9]{8}" }

# Whom to ask. A policy annotated @approval("dba-oncall") waits for an answer from these groups.
approvals:
  rules:
    - { name: dba-oncall, ask: [dba] }
  # Who is told of what waits; Slack and mail are in docs/guide/approvals-notify.md.
  #notify:
  #  - { kind: webhook, name: bot, url: "https://bot.example.com/sallyport", secret: "env:BOT_SECRET" }

# The folder of *.cedar files that decide who may do what.
policies: ./policies
`;

export const SAMPLE_CONFIG: string = sampleConfig();
