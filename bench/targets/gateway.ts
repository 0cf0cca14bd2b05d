import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DevIdp, startDevIdp } from '../../src/devtools/dev-idp.ts';
import type { ThrowawayPostgres } from '../../src/devtools/postgres.ts';
import { DATABASE, PASSWORD, USER } from '../stock.ts';
import { type Started, start } from './program.ts';

/** The gateway under test, in a process of its own, with the pass of a CI job that acts for a person. */
export interface Gateway {
  readonly port: number;
  /** User and password of the pass: SCRAM, as any client of PostgreSQL does it. */
  readonly user: string;
  readonly password: string;
  readonly process: Started;
  readonly idp: DevIdp;
}

/** Targets of the gateway: both lead to the same database. */
export const FULL = 'full';
export const LABELS = 'labels';

const READY_WITHIN = 60_000;
export const MAIN: string = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

export async function startGateway(
  directory: string,
  server: ThrowawayPostgres,
  flags: readonly string[],
): Promise<Gateway> {
  const idp = await startDevIdp();
  const config = configure(directory, server, idp);
  const started = start(process.execPath, [...flags, MAIN, 'serve', '--config', config], { cwd: directory });
  try {
    const ports = await ready(started);
    const ca = readFileSync(join(directory, 'var', 'tls', 'ca.pem'), 'utf8');
    const { user, password } = await passOf(idp, ports.https, ca);
    return { port: ports.postgres, user, password, process: started, idp };
  } catch (thrown) {
    await Promise.all([started.stop(), idp.close()]);
    throw thrown;
  }
}

/** The ports of a gateway that was started, once it takes connections. */
export async function ready(started: Started): Promise<{ postgres: number; https: number }> {
  for (let waited = 0; waited < READY_WITHIN; waited += 50) {
    for (const line of started.said().split('\n')) {
      if (!line.includes('"msg":"ready"')) continue;
      const { postgres, https } = JSON.parse(line) as { postgres: number; https: number };
      return { postgres, https };
    }
    if (started.ended()) break;
    await sleep(50);
  }
  throw new Error(`the gateway did not become ready:\n${started.said()}`);
}

/** Two exchanges, as agents do them: a person's token for a pass, that pass and a job's token for a narrower one. */
async function passOf(idp: DevIdp, port: number, ca: string): Promise<{ user: string; password: string }> {
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', expires_in: String(HOURS * 3600) };
  const type = 'urn:ietf:params:oauth:token-type:';
  const person = await post(port, ca, {
    ...grant,
    subject_token: await idp.idToken('bob'),
    subject_token_type: `${type}id_token`,
  });
  const job = await post(port, ca, {
    ...grant,
    subject_token: person,
    subject_token_type: `${type}access_token`,
    actor_token: await idp.ciToken(),
    actor_token_type: `${type}jwt`,
    authorization_details: JSON.stringify([FULL, LABELS].map((target) => ({ type: 'sallyport', target }))),
  });
  const [, id = '', secret = ''] = /^slp_([^_]+)_(.+)$/.exec(job) ?? [];
  return { user: `g.${id}`, password: secret };
}

/** Longer than any run. */
const HOURS = 8;

async function post(port: number, ca: string, form: Readonly<Record<string, string>>): Promise<string> {
  const answer = await ask({ port, ca, path: '/oauth/token' }, form);
  const { access_token: pass } = JSON.parse(answer) as { access_token?: string };
  if (pass === undefined) throw new Error(`the exchange was refused: ${answer}`);
  return pass;
}

/** Posts a form to a gateway on this machine; gives what it answers. */
export function ask(
  { port, ca, path }: { readonly port: number; readonly ca: string; readonly path: string },
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const asked = request({ host: 'localhost', port, path, method: 'POST', ca, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end(new URLSearchParams(form).toString());
  });
}

function configure(directory: string, server: ThrowawayPostgres, idp: DevIdp): string {
  mkdirSync(join(directory, 'policies'));
  writeFileSync(join(directory, 'policies', 'bench.cedar'), POLICIES);
  writeFileSync(join(directory, 'password'), PASSWORD, { mode: 0o600 });
  const target = (name: string) => `  - name: ${name}
    protocol: postgres
    address: ${server.host}:${server.port}
    database: ${DATABASE}
    tls: disable
    credential: { user: ${USER}, password: "file:password" }
    connections: { most: 100, queue: 100 }
    columns:
      - { column: public.people.email, label: pii.email, mask: email }
`;
  const config = join(directory, 'sallyport.yaml');
  writeFileSync(
    config,
    `version: 1
data: ./var
url: https://localhost:7443
node: bench
listen: { https: 127.0.0.1:0, postgres: 127.0.0.1:0, health: 127.0.0.1:0 }
evidence: { durability: process }
identity:
  providers:
    - { name: staff, kind: people, issuer: "${idp.issuer}", audience: ${idp.clientId}, groups_claim: groups, name_claim: email }
    - { name: ci, kind: workload, issuer: "${idp.ciIssuer}", audience: sallyport, match: { repository: acme/shop }, agent: ci, rights: delegated }
targets:
${target(LABELS)}${target(FULL)}    detect: { detectors: [card, ssn, email], people: mask, agents: mask }
policies: ./policies
`,
  );
  return config;
}

/** Everything but seeing labelled columns in clear; some forbids, so that permits are not for nothing. */
const POLICIES = `
@id("connect")
permit (principal in Group::"dba", action == Action::"connect", resource);

@id("introspect")
permit (principal, action == Action::"introspect", resource);

@id("work")
permit (principal in Group::"dba", action, resource in Target::"${FULL}");

@id("work-labels")
permit (principal in Group::"dba", action, resource in Target::"${LABELS}");

@id("functions")
permit (principal in Group::"dba", action == Action::"execute", resource);

@id("bounded-writes")
forbid (principal, action in [Action::"update", Action::"delete"], resource)
when { !context.statement.bounded };

@id("asserted-helpers-read-only")
forbid (principal, action in Action::"write", resource)
when { context.chain.weakest == "asserted" };
`;
