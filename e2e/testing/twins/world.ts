import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, type ThrowawayPostgres } from '../../../src/devtools/postgres.ts';
import { Gateway, type Pass } from '../gateway.ts';
import { type Login, Session } from './session.ts';

const FOLDER = join(import.meta.dirname, '../../../fixtures/bypass/twins');
const sql = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

export type Side = 'a' | 'b';
export const SIDES: readonly Side[] = ['a', 'b'];

/** In every labelled value of one twin, and in nothing of the other. */
const WORDS: Readonly<Record<Side, string>> = { a: 'kestrel', b: 'sparrowhawk' };
export const CANARY: RegExp = /kestrel|sparrowhawk/i;

const LABELLED = `
      - { column: public.customers.email, label: pii.email, mask: email }
      - { column: public.logins.email, label: pii.email, mask: email }
      - { column: public.people_only.email, label: pii.email, mask: redact }
      - { column: public.events.who, label: pii.email, mask: email }
      - { column: public.customers.ssn, label: pii.ssn, mask: redact }
      - { column: public.customers.profile, label: pii.ssn, mask: redact, path: ssn }
      - { column: public.customers.phone, label: pii.phone, mask: partial }
      - { column: public.customers.born, label: pii.born, mask: date }
      - { column: public.customers.salary, label: pay, mask: redact }
      - { column: public.customers.token, label: secret, mask: "null" }
      - { column: public.customers.handle, label: pii.handle, mask: redact }
      - { column: public.customers.tags, label: pii.tags, mask: redact }
      - { column: public.customers.picture, label: pii.picture, mask: redact }
      - { column: public.customers.key, label: secret.key, mask: redact }
      - { column: public.customers.line, label: pii.line, mask: redact }
      - { column: public.customers.level, label: pay.level, mask: redact }
      - { column: public.customers.house, label: pii.house, mask: redact }`;

const NOBODY_WAITS = '  hold_wait: 0\n  rules:\n    - { name: dba-oncall, ask: [dba] }\n';

const POLICIES = `
@id("twins-connect")
permit (principal in Group::"support", action == Action::"connect", resource == Target::"twins");

@id("twins-work")
permit (principal in Group::"support", action in [Action::"read", Action::"write", Action::"ddl"], resource in Target::"twins");

@id("twins-look-up")
permit (principal in Group::"support", action == Action::"filter", resource in Label::"pii.handle")
when { context.filter == "equality" };

@id("twins-bounded")
forbid (principal, action in [Action::"update", Action::"delete"], resource in Target::"twins")
when { !context.statement.bounded };

@id("twins-structure")
@approval("dba-oncall")
forbid (principal, action in [Action::"ddl", Action::"truncate"], resource in Target::"twins");
`;

/**
 * A server with two databases that differ in labelled values only, twice: `proof_*` to be reached directly, `twin_*`
 * through a gateway whose own role is a superuser. What is refused there, the gateway refused.
 */
export class Twins {
  readonly server: ThrowawayPostgres;
  readonly gateway: Gateway;
  readonly #pass: Pass;
  #neighbour: Session | undefined;

  private constructor(server: ThrowawayPostgres, gateway: Gateway, pass: Pass) {
    this.server = server;
    this.gateway = gateway;
    this.#pass = pass;
  }

  static async start(): Promise<Twins> {
    const server = await startPostgres({
      settings: [
        'autovacuum=off',
        'statement_timeout=4s',
        'wal_level=logical',
        'max_prepared_transactions=5',
        'io_method=sync',
      ],
    });
    try {
      await stock(server);
      const gateway = await Gateway.start({
        shop: target(server),
        approvals: NOBODY_WAITS,
        policies: { 'twins.cedar': POLICIES },
      });
      const twins = new Twins(server, gateway, await gateway.person('alice'));
      for (const side of SIDES) for (const kind of ['proof', 'twin'] as const) await twins.restore(kind, side);
      const { port, user, password } = server;
      twins.#neighbour = await Session.open({ port, user, secret: password, database: 'postgres' });
      await twins.#neighbour.ask("select 'kestrel, as a neighbour asked'");
      return twins;
    } catch (thrown) {
      await server.stop();
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    this.#neighbour?.close();
    await this.gateway.stop();
    await this.server.stop();
  }

  /** Makes a database anew, as it was at the start; who was connected to it is not any more. */
  async restore(kind: 'proof' | 'twin', side: Side): Promise<void> {
    const name = `${kind}_${side}`;
    await this.server.query(`drop database if exists ${name} with (force)`);
    await this.server.query(`create database ${name} template pristine_${side} strategy file_copy`);
  }

  /** Takes back what was done to the server as a whole. */
  async tidy(): Promise<void> {
    await this.server.query('alter system reset all');
    await this.server.query('alter database spare reset all').catch(() => {});
    const made = await this.server.query(`
      select format('drop database %I with (force)', datname) as text from pg_database where datname !~ '^(postgres|spare|template.|(twin|proof|pristine)_.)$'
      union all select format('drop role %I', rolname) from pg_roles where oid >= 16384 and rolname <> 'keeper'
      union all select format('select pg_drop_replication_slot(%L)', slot_name) from pg_replication_slots
      union all select format('alter role %I reset all', rolname) from pg_roles where rolname in ('keeper', 'postgres')`);
    for (const { text } of made) await this.server.query(String(text)).catch(() => {});
    const [spare] = await this.server.query("select from pg_database where datname = 'spare'");
    if (spare === undefined) await this.server.query('create database spare');
    await this.server.query('select pg_reload_conf()');
  }

  /** A session without the gateway, as superuser. */
  direct(kind: 'proof' | 'twin', side: Side): Promise<Session> {
    const { port, user, password } = this.server;
    return Session.open({ port, user, secret: password, database: `${kind}_${side}` });
  }

  through(side: Side): Promise<Session> {
    const login: Login = {
      port: this.gateway.running.ports.postgres,
      user: `g.${this.#pass.id}`,
      secret: this.#pass.secret,
      database: `twins.twin_${side}`,
    };
    return Session.open(login);
  }
}

/** The second twin's tables are a copy of the first one's, so that OIDs agree. */
async function stock(server: ThrowawayPostgres): Promise<void> {
  await server.query('create database pristine_a');
  await server.query(sql('schema.sql'), 'pristine_a');
  await server.query('create database pristine_b template pristine_a');
  for (const side of SIDES) {
    const settings = `set twin.word = '${WORDS[side]}'; set twin.turn = '${side === 'a' ? 0 : 1}';`;
    const [rows = '', vacuum = ''] = sql('rows.sql').split(/^(?=vacuum)/m);
    await server.query(`${settings} ${rows}`, `pristine_${side}`);
    await server.query(vacuum, `pristine_${side}`);
  }
  await server.query('create database spare');
  await server.query("create role keeper login password 'kestrel'");
  await server.query(
    "do $$ begin execute format('copy (select %L) to %L', 'kestrel in a file', current_setting('data_directory') || '/vault.txt'); end $$",
  );
}

function target({ host, port, user, password }: ThrowawayPostgres): string {
  process.env['TWINS_PASSWORD'] = password;
  return `  - name: twins
    protocol: postgres
    address: ${host}:${port}
    tls: disable
    credential: { user: ${user}, password: "env:TWINS_PASSWORD" }
    database: twin_a
    databases: [twin_a, twin_b]
    columns:${LABELLED}
`;
}
