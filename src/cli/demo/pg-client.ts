import { readFileSync } from 'node:fs';
import pg from 'pg';
import { plainTable } from '../output.ts';
import { scramLogin } from '../token.ts';
import { type Address, DATABASE, type Running, type SqlClient, type SqlSession, type Waiting } from './client.ts';

/** Where there is no psql, the JavaScript driver `pg` asks, and what it was told is printed in psql's manner. */
export function pgClient({ port, ca }: Address): SqlClient {
  const config = (pass: string) => ({
    host: 'localhost',
    port,
    database: DATABASE,
    ...scramLogin(pass),
    ssl: { ca: readFileSync(ca, 'utf8') },
    enableChannelBinding: true,
    // As text, as the server wrote it.
    types: { getTypeParser: () => (value: string) => value },
  });
  const open = new Set<pg.Client>();
  return {
    name: 'the pg library (psql is not installed here)',
    commandLine: (pass, brief) => {
      const { user } = scramLogin(pass);
      if (brief) return `new pg.Client({ user: '${user}', … })`;
      return `new pg.Client({ host: 'localhost', port: ${port}, database: '${DATABASE}', user: '${user}', password, ssl: { ca } })`;
    },
    open: async (pass) => {
      const client = new pg.Client(config(pass));
      open.add(client.once('end', () => open.delete(client)));
      try {
        const session = new PgSession(client);
        await client.connect();
        return session;
      } catch (thrown) {
        return describe(thrown);
      }
    },
    close: () => {
      for (const client of open) client.end().catch(() => {});
    },
  };
}

class PgSession implements SqlSession {
  readonly #client: pg.Client;
  readonly #cut: Promise<{ output: string; at: number }>;

  constructor(client: pg.Client) {
    this.#client = client;
    this.#cut = new Promise((resolve) => {
      client.on('error', (thrown) => resolve({ output: describe(thrown), at: performance.now() }));
    });
  }

  async ask(statement: string): Promise<string> {
    try {
      const told = await this.#client.query({ text: statement, rowMode: 'array' });
      const results: readonly pg.QueryArrayResult[] = Array.isArray(told) ? told : [told];
      return results.map(table).join('\n');
    } catch (thrown) {
      return describe(thrown);
    }
  }

  begin(statement: string): Running {
    const refused = this.#client.query(statement).then(
      () => ({ output: 'it ended by itself', at: performance.now() }),
      (thrown: unknown) => ({ output: describe(thrown), at: performance.now() }),
    );
    return { interrupted: Promise.race([refused, this.#cut]) };
  }

  async hold(statement: string): Promise<Waiting> {
    const notice = new Promise<string>((resolve) => {
      this.#client.once('notice', ({ severity = 'NOTICE', message = '' }) => resolve(`${severity}:  ${message}`));
    });
    const done = this.ask(statement);
    return { told: await Promise.race([notice, done]), done };
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

function table({ command, rowCount, fields, rows }: pg.QueryArrayResult): string {
  if (fields.length === 0) return [command, rowCount].filter((part) => part !== null).join(' ');
  const cells = rows.map((row: unknown[]) => row.map((cell) => (typeof cell === 'string' ? cell : '')));
  const head = fields.map((field) => field.name);
  return `${plainTable(head, cells)}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`;
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { severity = 'ERROR', detail, hint } = thrown as { severity?: string; detail?: string; hint?: string };
  return [
    `${severity}:  ${thrown.message}`,
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
  ].join('\n');
}
