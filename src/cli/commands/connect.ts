import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { GatewayClient } from '../client.ts';
import { configFolder, storedLogin } from '../credentials.ts';
import { parseDuration } from '../duration.ts';
import { Failure } from '../failure.ts';
import { environment, findGateway, type GatewayOptions } from '../gateway.ts';
import { list, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, print, printJson, style } from '../output.ts';
import { exchange, isPass, scramLogin, TOKEN_TYPE } from '../token.ts';

interface ConnectOptions extends GatewayOptions {
  readonly role?: string;
  readonly expires?: number;
  readonly env?: boolean;
  readonly uri?: boolean;
  readonly psql?: boolean;
  readonly exec?: boolean;
  readonly json?: boolean;
}

/** What a PostgreSQL client needs, by the names libpq has for it. */
interface Connection {
  readonly PGHOST: string;
  readonly PGPORT: string;
  readonly PGDATABASE: string;
  readonly PGUSER: string;
  readonly PGPASSWORD: string;
  readonly PGSSLMODE: 'verify-full';
  /** A file, or `system`. */
  readonly PGSSLROOTCERT: string;
  readonly PGCHANNELBINDING: 'require' | 'prefer';
}

export function addConnect(program: Command): void {
  jsonOption(gatewayOptions(program.command('connect')))
    .argument('<target>', 'its name, or target.database')
    .argument('[command...]', 'what to run, after "--"; it finds the connection in its environment')
    .description('Print or open what a client needs to reach a target, with a fresh pass for just that target.')
    .option('--env', 'print lines to be evaluated by a shell')
    .option('--uri', 'print a connection address')
    .option('--psql', 'print the psql command')
    .option('--exec', 'run psql here')
    .option('--role <role>', 'upstream role, where the target lists several')
    .option('--expires <time>', 'how long the pass lasts, as in 15m', parseDuration)
    .addHelpText(
      'after',
      `
With SALLYPORT_PASS set, that pass is used as it is; otherwise one is issued below your login, for this target only.

Examples:
  $ sallyport connect shop --exec
  $ sallyport connect shop -- psql -c "TABLE orders"
  $ sallyport connect shop -- pg_dump -s
  $ eval "$(sallyport connect shop --env)"
`,
    )
    .action(connect);
}

async function connect(target: string, command: readonly string[], options: ConnectOptions): Promise<void> {
  const gateway = await findGateway(options);
  const dot = target.indexOf('.');
  const name = dot < 0 ? target : target.slice(0, dot);
  const pass = environment('SALLYPORT_PASS') ?? (await freshPass(gateway, name, options));
  if (!isPass(pass)) throw new Failure('SALLYPORT_PASS is not a pass (slp_…)');
  const connection = await connectionTo(target, pass, gateway, options);

  if (command.length > 0 || options.exec) {
    process.exitCode = await run(command.length > 0 ? command : ['psql'], connection);
    return;
  }
  if (options.json) return printJson({ ...connection, uri: uriOf(connection) });
  if (options.uri) return print(uriOf(connection));
  if (options.psql) return print(`psql ${quote(uriOf(connection))}`);
  print(
    Object.entries(connection)
      .map(([key, value]) => `export ${key}=${quote(value)}`)
      .join('\n'),
  );
  if (!options.env) {
    note('');
    note(style.dim(`Evaluate these lines, or let a client run with them: sallyport connect ${target} -- psql`));
  }
}

/** As little as it takes: this target, and nothing that could be handed on. */
async function freshPass(gateway: GatewayClient, target: string, options: ConnectOptions): Promise<string> {
  const login = storedLogin(gateway.reach.url);
  if (!login) {
    throw new Failure('there is no pass to connect with', {
      hint: 'Log in with "sallyport login", or set SALLYPORT_PASS. (The local socket administers; it is nobody to a target.)',
    });
  }
  const scope = { type: 'sallyport', target, ...(options.role === undefined ? {} : { roles: [options.role] }) };
  const issued = await exchange(gateway, {
    subject_token: login.pass,
    subject_token_type: `${TOKEN_TYPE}access_token`,
    authorization_details: JSON.stringify([scope]),
    delegable: 'false',
    purpose: 'sallyport connect',
    ...(options.expires === undefined ? {} : { expires_in: String(options.expires) }),
  });
  return issued.pass;
}

async function connectionTo(
  target: string,
  pass: string,
  gateway: GatewayClient,
  options: ConnectOptions,
): Promise<Connection> {
  const { hostname } = new URL(gateway.reach.url);
  const listed = object(
    await (options.role === undefined ? askTargets(gateway, pass) : askRole(gateway, pass, target, options.role)),
  );
  const listen = text(object(listed['listen'])['postgres']);
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  if (!/^\d+$/.test(port)) throw new Failure('the gateway does not say where it listens for PostgreSQL');
  return {
    PGHOST: hostname.replace(/^\[|\]$/g, ''),
    PGPORT: port,
    PGDATABASE: target,
    ...loginOf(pass, options.role),
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: gateway.reach.ca === undefined ? 'system' : keepCa(gateway.reach.ca, hostname),
  };
}

/** By SCRAM, so that the pass never crosses the wire; where a role must be named, as a password inside verified TLS. */
function loginOf(
  pass: string,
  role: string | undefined,
): Pick<Connection, 'PGUSER' | 'PGPASSWORD' | 'PGCHANNELBINDING'> {
  if (role !== undefined) return { PGUSER: role, PGPASSWORD: pass, PGCHANNELBINDING: 'prefer' };
  const { user, password } = scramLogin(pass);
  return { PGUSER: user, PGPASSWORD: password, PGCHANNELBINDING: 'require' };
}

/** Asked with the pass itself, so that a pass that does not reach the target says so here and not in the client. */
async function askTargets(gateway: GatewayClient, pass: string): Promise<unknown> {
  return gateway.withPass(pass).get('/v1/targets');
}

async function askRole(gateway: GatewayClient, pass: string, target: string, role: string): Promise<unknown> {
  const answer = object(await askTargets(gateway, pass));
  const found = list(answer['targets'])
    .map(object)
    .find((each) => text(each['name']) === target.split('.')[0]);
  if (found && !texts(found['roles']).includes(role)) {
    throw new Failure(`${target} has no role ${role}; it has ${texts(found['roles']).join(', ')}`);
  }
  return answer;
}

/** libpq wants the authority in a file. */
function keepCa(ca: string, hostname: string): string {
  const folder = configFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `ca-${hostname.replace(/[^A-Za-z0-9.-]/g, '_')}.pem`);
  writeFileSync(path, ca, { mode: 0o600 });
  return path;
}

function uriOf(connection: Connection): string {
  const host = connection.PGHOST.includes(':') ? `[${connection.PGHOST}]` : connection.PGHOST;
  const query = new URLSearchParams({
    sslmode: connection.PGSSLMODE,
    sslrootcert: connection.PGSSLROOTCERT,
    channel_binding: connection.PGCHANNELBINDING,
  });
  // libpq decodes %20 and not +.
  const options = query.toString().replaceAll('+', '%20');
  const login = `${encodeURIComponent(connection.PGUSER)}:${encodeURIComponent(connection.PGPASSWORD)}`;
  return `postgresql://${login}@${host}:${connection.PGPORT}/${encodeURIComponent(connection.PGDATABASE)}?${options}`;
}

function quote(value: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** The pass travels in the environment, where other users of the machine do not see it, never on the command line. */
function run([command = 'psql', ...args]: readonly string[], connection: Connection): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...connection } });
    // An interrupt is for the client: it cancels a query and goes on.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    child.once('error', (error: NodeJS.ErrnoException) => {
      // EACCES: also said when a folder of PATH may not be looked into.
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      reject(
        new Failure(
          missing ? `${command} is not installed, or may not be run by you` : `${command} could not be started`,
          missing ? { hint: 'Use another client: --uri prints the address.' } : {},
        ),
      );
    });
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
