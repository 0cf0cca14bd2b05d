import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SHOP_USER } from '../../devtools/shop.ts';
import { temporaryFolder } from '../../devtools/temporary.ts';
import { startWorld, type World } from '../../devtools/world.ts';
import { type Running, serve } from '../../main.ts';
import { GatewayClient } from '../client.ts';
import type { Address, SqlClient } from './client.ts';
import { pgClient } from './pg-client.ts';
import { findPsql } from './psql.ts';
import { type Ran, run } from './shell.ts';

/** Everything the story is played on: a world, a gateway in it, and a way to be anybody in front of it. */
export interface Stage {
  readonly world: World;
  readonly running: Running;
  readonly address: Address;
  readonly client: SqlClient;
  readonly url: string;
  /** The gateway as somebody sees it over HTTPS. */
  as(pass: string | undefined): GatewayClient;
  /** Runs `sallyport` as somebody, far from the gateway's files. */
  sallyport(pass: string | undefined, ...args: readonly string[]): Promise<Ran>;
  /** A folder for whatever the story writes down. */
  readonly home: string;
  /** Lines of the gateway's log that were not of the ordinary. */
  readonly troubles: readonly string[];
  close(): Promise<void>;
}

const PREFERRED = { https: 7443, postgres: 7432, health: 7464 };

export async function setStage(): Promise<Stage> {
  const directory = mkdtempSync(join(await temporaryFolder(), 'sallyport-demo-'));
  const opened: (() => Promise<void>)[] = [
    async () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const close = async (): Promise<void> => {
    for (const each of opened.splice(0).toReversed()) await each().catch(() => {});
  };
  try {
    const troubles: string[] = [];
    const trouble = (message: string, about?: object) =>
      void troubles.push(`${message} ${JSON.stringify(about ?? {})}`);
    const log = { info: () => {}, warn: trouble, error: trouble };
    const ports = {
      https: await preferably(PREFERRED.https),
      postgres: await preferably(PREFERRED.postgres),
      health: await preferably(PREFERRED.health),
    };
    const world = await startWorld({ directory, ports });
    opened.push(() => world.close());
    await world.postgres.query(`set role ${SHOP_USER}; create table orders_2019 as select * from orders`, 'shop');
    const running = await serve({ config: world.config, log });
    opened.push(() => running.close());

    const address = { port: running.ports.postgres, ca: running.ca ?? '' };
    const url = `https://localhost:${running.ports.https}`;
    const ca = readFileSync(address.ca, 'utf8');
    const client = findPsql(address) ?? pgClient(address);
    opened.push(async () => client.close());
    const home = join(directory, 'home');
    mkdirSync(home);
    return {
      world,
      running,
      address,
      client,
      url,
      as: (pass) => new GatewayClient({ kind: 'https', url, ca, pass }),
      sallyport: (pass, ...args) =>
        run(args, home, {
          SALLYPORT_URL: url,
          SALLYPORT_CA: address.ca,
          ...(pass === undefined ? {} : { SALLYPORT_PASS: pass }),
        }),
      home,
      troubles,
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** The port that is known from the documentation, or any other where it is taken. */
async function preferably(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? 0;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : undefined));
    });
  });
}
