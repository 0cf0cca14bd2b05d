import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort, type ThrowawayPostgres } from '../../src/devtools/postgres.ts';
import type { OwnCertificate } from '../../src/secrets/certificate.ts';
import { serverAccount } from '../../src/store/account.ts';
import { DATABASE, PASSWORD, USER } from '../stock.ts';
import { findProgram, type Started, start } from './program.ts';

/** The baseline that inspects nothing: pgbouncer in session mode, everything else as it comes. */
export interface Pgbouncer {
  readonly port: number;
  readonly process: Started;
}

const READY_WITHIN = 10_000;

/** Undefined where pgbouncer is not installed. */
export async function startPgbouncer(
  directory: string,
  server: ThrowawayPostgres,
  certificate: OwnCertificate,
): Promise<Pgbouncer | undefined> {
  const program = findProgram('pgbouncer');
  if (program === undefined) return undefined;
  const account = await serverAccount();
  const home = join(directory, 'pgbouncer');
  mkdirSync(home, { mode: 0o700 });
  const port = await freePort();
  const files = {
    'users.txt': `"${USER}" "${PASSWORD}"\n`,
    'server.crt': certificate.certificate,
    'server.key': certificate.key,
    'pgbouncer.ini': `[databases]
${DATABASE} = host=${server.host} port=${server.port} dbname=${DATABASE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = session
default_pool_size = 100
max_client_conn = 500
auth_type = scram-sha-256
auth_file = ${join(home, 'users.txt')}
client_tls_sslmode = allow
client_tls_cert_file = ${join(home, 'server.crt')}
client_tls_key_file = ${join(home, 'server.key')}
server_tls_sslmode = disable
log_connections = 0
log_disconnections = 0
`,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(home, name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, account.uid, account.gid);
  }
  chownSync(home, account.uid, account.gid);
  chmodSync(directory, 0o711);

  const started = start(program, [join(home, 'pgbouncer.ini')], { cwd: home, account: account.become });
  for (let waited = 0; !(await answers(port)); waited += 50) {
    if (started.ended() || waited > READY_WITHIN) {
      await started.stop();
      throw new Error(`pgbouncer does not answer: ${started.said()}`);
    }
    await sleep(50);
  }
  return { port, process: started };
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: USER, password: PASSWORD, database: DATABASE });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
