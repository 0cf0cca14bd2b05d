import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { SHOP_PASSWORD, SHOP_USER } from '../../src/devtools/shop.ts';
import { startWorld, type World, type WorldOptions } from '../../src/devtools/world.ts';
import { type Running, serve } from '../../src/main.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';

export interface Pass {
  readonly pass: string;
  readonly id: string;
  /** What SCRAM takes as the password. */
  readonly secret: string;
  readonly answer: Readonly<Record<string, unknown>>;
}

export interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A gateway in this process with a world around it, for one test file. */
export class Gateway {
  readonly world: World;
  readonly directory: string;
  running: Running;

  private constructor(world: World, directory: string, running: Running) {
    this.world = world;
    this.directory = directory;
    this.running = running;
  }

  static async start(options: Omit<WorldOptions, 'directory'> = {}): Promise<Gateway> {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'));
    const world = await startWorld({ ...options, directory });
    const running = await serve({ config: world.config, log: SILENT });
    return new Gateway(world, directory, running);
  }

  async stop(): Promise<void> {
    await this.running.close();
    await this.world.close();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get ca(): string {
    return this.running.ca ?? '';
  }

  get dataDirectory(): string {
    return join(this.directory, 'var');
  }

  post(
    path: string,
    form: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const asked = request(
        { host: 'localhost', port: this.running.ports.https, path, method: 'POST', ca: readFileSync(this.ca), headers },
        (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: text === '' ? {} : JSON.parse(text) }),
          );
        },
      );
      asked.on('error', reject);
      asked.end(new URLSearchParams(form).toString());
    });
  }

  /** The API with a pass: a status and a JSON value. */
  ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    { pass }: Pick<Pass, 'pass'>,
    body?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${pass}`, ...(body && { 'content-type': 'application/json' }) };
      const to = {
        host: 'localhost',
        port: this.running.ports.https,
        path,
        method,
        ca: readFileSync(this.ca),
        headers,
      };
      const asked = request(to, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text === '' ? {} : JSON.parse(text) }));
      });
      asked.on('error', reject);
      asked.end(body && JSON.stringify(body));
    });
  }

  async exchange(form: Readonly<Record<string, string>>): Promise<Pass> {
    const { status, body } = await this.post('/oauth/token', { grant_type: EXCHANGE, ...form });
    if (status !== 200) throw new Error(`exchange refused: ${JSON.stringify(body)}`);
    const pass = String(body['access_token']);
    return { pass, id: String(body['grant_id']), secret: pass.slice(27), answer: body };
  }

  async person(
    person: 'alice' | 'bob' | 'carol' | 'dave' | 'erin',
    form: Readonly<Record<string, string>> = {},
  ): Promise<Pass> {
    return await this.exchange({
      subject_token: await this.world.idp.idToken(person),
      subject_token_type: `${TYPE}id_token`,
      ...form,
    });
  }

  /** A CI job acting for whoever holds the pass. */
  async job(parent: Pass, details: object, form: Readonly<Record<string, string>> = {}): Promise<Pass> {
    return await this.exchange({
      subject_token: parent.pass,
      subject_token_type: `${TYPE}access_token`,
      actor_token: await this.world.idp.ciToken(),
      actor_token_type: `${TYPE}jwt`,
      authorization_details: JSON.stringify([{ type: 'sallyport', ...details }]),
      ...form,
    });
  }

  /** A helper its parent vouches for. */
  async helper(parent: Pass, details: object | undefined, form: Readonly<Record<string, string>> = {}): Promise<Pass> {
    return await this.exchange({
      subject_token: parent.pass,
      subject_token_type: `${TYPE}access_token`,
      actor: JSON.stringify({ name: 'helper', kind: 'tool' }),
      ...(details === undefined ? {} : { authorization_details: JSON.stringify([{ type: 'sallyport', ...details }]) }),
      ...form,
    });
  }

  /** Options of `pg` for a pass over SCRAM and TLS; `plain` without TLS. */
  options(pass: Pass, database = 'shop', plain = false): pg.ClientConfig {
    return {
      host: 'localhost',
      port: this.running.ports.postgres,
      user: `g.${pass.id}`,
      password: pass.secret,
      database,
      ssl: plain ? false : { ca: readFileSync(this.ca, 'utf8') },
    };
  }

  async client(pass: Pass, database = 'shop', plain = false): Promise<pg.Client> {
    const client = new pg.Client(this.options(pass, database, plain));
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** The same database without the gateway. */
  async direct(database = 'shop'): Promise<pg.Client> {
    const { host, port } = this.world.postgres;
    const client = new pg.Client({ host, port, user: SHOP_USER, password: SHOP_PASSWORD, database });
    await client.connect();
    return client;
  }

  /** Environment in which libpq's programs reach the gateway with a pass. */
  libpq(pass: Pass, database = 'shop'): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      PGHOST: 'localhost',
      PGPORT: String(this.running.ports.postgres),
      PGUSER: `g.${pass.id}`,
      PGPASSWORD: pass.secret,
      PGDATABASE: database,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: this.ca,
      PGCHANNELBINDING: 'require',
      PSQLRC: '/dev/null',
    };
  }

  directLibpq(database = 'shop'): NodeJS.ProcessEnv {
    const { host, port } = this.world.postgres;
    return {
      PATH: process.env['PATH'],
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: SHOP_USER,
      PGPASSWORD: SHOP_PASSWORD,
      PGDATABASE: database,
      PSQLRC: '/dev/null',
    };
  }
}

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

/** Runs a program to its end; never throws for its exit code. */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, input?: string): Promise<Output> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      { env, maxBuffer: 64 * 1024 * 1024, timeout: 55_000 },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
      },
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

/** True where the program can be run; says so loudly where not, since a test will be missing. */
export function found(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write(`\n!!! ${program} is not installed: its tests are SKIPPED\n`);
    return false;
  }
}
