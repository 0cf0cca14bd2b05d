import pg from 'pg';
import type { Target } from '../targets/target.ts';

/** The `pg` driver, logged in to a target. The caller ends it. */
export async function connect(target: Target): Promise<pg.Client> {
  const { host, port, user, password, database } = target;
  // The certificate is the run's own: what is measured is encryption, not who signed.
  const ssl = target.tls ? { rejectUnauthorized: false } : false;
  const client = new pg.Client({ host, port, user, password, database, ssl });
  client.on('error', () => {});
  await client.connect();
  return client;
}

export async function withClient<T>(target: Target, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(target);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** All rows of a statement, cells as text. */
export async function cellsOf(target: Target, text: string): Promise<readonly (readonly unknown[])[]> {
  const asText = { getTypeParser: () => String };
  return await withClient(target, async (client) => {
    const result = await client.query<unknown[]>({ text, rowMode: 'array', types: asText });
    return result.rows;
  });
}
