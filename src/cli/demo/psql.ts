import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { scramLogin } from '../token.ts';
import { type Address, DATABASE, type Running, type SqlClient, type SqlSession, type Waiting } from './client.ts';

/** The psql of this machine, as it is; undefined where there is none. */
export function findPsql(address: Address): SqlClient | undefined {
  let version: string;
  try {
    version = execFileSync('psql', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
  const about = (pass: string): string =>
    `host=localhost port=${address.port} dbname=${DATABASE} user=${scramLogin(pass).user} ` +
    `sslmode=verify-full sslrootcert=${address.ca} channel_binding=require`;
  const children = new Set<ChildProcessWithoutNullStreams>();
  return {
    name: `psql ${/\d+(?:\.\d+)?/.exec(version)?.[0] ?? ''}`,
    commandLine: (pass, brief) => `psql "${brief ? `user=${scramLogin(pass).user} …` : about(pass)}"`,
    open: (pass) => {
      const child = startPsql(about(pass), scramLogin(pass).password);
      children.add(child.once('close', () => children.delete(child)));
      return PsqlSession.open(child);
    },
    close: () => {
      for (const child of children) child.kill();
    },
  };
}

function startPsql(about: string, password: string): ChildProcessWithoutNullStreams {
  // One pipe for both, so that errors stand where they belong.
  const args = ['-c', 'exec psql --no-psqlrc --pset=pager=off "$0" 2>&1', about];
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    PGPASSWORD: password,
    PGCLIENTENCODING: 'UTF8',
  };
  return spawn('/bin/sh', args, { env });
}

/** Fed through its standard input, one statement at a time; a line of its own tells where an answer ends. */
class PsqlSession implements SqlSession {
  readonly #child: ChildProcessWithoutNullStreams;
  #output = '';
  #ended = false;
  #wake: () => void = () => {};

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    const more = (chunk: string): void => {
      this.#output += chunk;
      this.#wake();
    };
    child.stdout.setEncoding('utf8').on('data', more);
    child.stderr.setEncoding('utf8').on('data', more);
    child.stdin.on('error', () => {}); // it may have ended already
    child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  static async open(child: ChildProcessWithoutNullStreams): Promise<SqlSession | string> {
    const session = new PsqlSession(child);
    const greeting = await session.ask('');
    return session.#ended ? greeting : session;
  }

  async ask(statement: string): Promise<string> {
    const mark = `-- ${randomBytes(8).toString('hex')}`;
    this.#child.stdin.write(`${statement}\n\\echo '${mark}'\n`);
    await this.#until(() => this.#output.includes(`${mark}\n`));
    return this.#take().replace(`${mark}\n`, '');
  }

  begin(statement: string): Running {
    this.#child.stdin.write(`${statement}\n`);
    const interrupted = async () => {
      await this.#until(() => this.#output !== '');
      const at = performance.now();
      await this.#until(() => false);
      return { output: this.#take(), at };
    };
    return { interrupted: interrupted() };
  }

  async hold(statement: string): Promise<Waiting> {
    const mark = `-- ${randomBytes(8).toString('hex')}`;
    this.#child.stdin.write(`${statement}\n\\echo '${mark}'\n`);
    await this.#until(() => this.#output.includes('\n'));
    const told = this.#take();
    const finished = async (): Promise<string> => {
      await this.#until(() => `${told}${this.#output}`.includes(`${mark}\n`));
      return this.#take().replace(`${mark}\n`, '');
    };
    return { told, done: finished() };
  }

  async close(): Promise<void> {
    this.#child.stdin.end('\\q\n');
    await this.#until(() => false);
  }

  /** Waits for something, or for the end of the program. */
  async #until(done: () => boolean): Promise<void> {
    while (!this.#ended && !done()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): string {
    const output = this.#output;
    this.#output = '';
    return output;
  }
}
