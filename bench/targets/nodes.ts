import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorld, type World } from '../../src/devtools/world.ts';
import { ask, MAIN, ready } from './gateway.ts';
import { start } from './program.ts';

/** A gateway of an installation of two, in a process of its own. */
export interface Node {
  readonly postgres: number;
  readonly https: number;
  readonly ca: string;
}

/** A pass of a CI job that acts for a person. */
export interface Pass {
  readonly whole: string;
  readonly user: string;
  readonly password: string;
}

export interface Nodes {
  readonly nodes: readonly [Node, Node];
  /** A new one, below the one login that all share. */
  pass(): Promise<Pass>;
  close(): Promise<void>;
}

/** Room for every connection that is held open, and for as many that are about to close. */
const MORE = '    connections: { most: 500, queue: 500 }\n';
const EXCHANGE = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' };
/** Longer than any run. */
const EIGHT_HOURS = String(8 * 3600);
const TYPE = 'urn:ietf:params:oauth:token-type:';

/** Two nodes that share a store, a root key and a target. */
export async function startNodes(): Promise<Nodes> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-nodes-'));
  const opened: (() => Promise<unknown>)[] = [
    async () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const close = async () => {
    for (const end of opened.splice(0).toReversed()) await end();
  };
  try {
    const world = await startWorld({ directory, shop: MORE, postgres: { settings: ['max_connections=1200'] } });
    opened.push(() => world.close());
    await world.postgres.query('create database store');
    const open = async (name: string): Promise<Node> => {
      const started = start(process.execPath, [MAIN, 'serve', '--config', configure(world, name)], { cwd: directory });
      opened.push(() => started.stop());
      const ca = join(directory, name, 'tls', 'ca.pem');
      return { ...(await ready(started)), ca: readFileSync(ca, 'utf8') };
    };
    const nodes = [await open('one'), await open('two')] as const;
    const [{ https: port, ca }] = nodes;
    const exchange = async (form: Readonly<Record<string, string>>): Promise<string> => {
      const answer = await ask({ port, ca, path: '/oauth/token' }, { ...EXCHANGE, ...form });
      const { access_token: pass } = JSON.parse(answer) as { access_token?: string };
      if (pass === undefined) throw new Error(`the exchange was refused: ${answer}`);
      return pass;
    };
    const { idp } = world;
    const login = await exchange({
      subject_token: await idp.idToken('alice'),
      subject_token_type: `${TYPE}id_token`,
      expires_in: EIGHT_HOURS,
    });
    return {
      nodes: [nodes[0], nodes[1]],
      close,
      pass: async () => {
        const whole = await exchange({
          subject_token: login,
          subject_token_type: `${TYPE}access_token`,
          actor_token: await idp.ciToken(),
          actor_token_type: `${TYPE}jwt`,
          authorization_details: JSON.stringify([{ type: 'sallyport', target: 'shop' }]),
        });
        const [, id = '', password = ''] = /^slp_([^_]+)_(.+)$/.exec(whole) ?? [];
        return { whole, user: `g.${id}`, password };
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** The world's configuration for one node: its own evidence, the store and the root key of all. */
function configure({ config, directory, postgres }: World, name: string): string {
  const keys = join(directory, name, 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  writeFileSync(join(keys, 'root.key'), '07'.repeat(32), { mode: 0o600 });
  const { user, password, host, port } = postgres;
  const text = readFileSync(config, 'utf8')
    .replace('data: ./var', `data: ./${name}\nstore: postgres://${user}:${password}@${host}:${port}/store`)
    .replace('node: demo', `node: ${name}`);
  const path = join(directory, `${name}.yaml`);
  writeFileSync(path, text);
  return path;
}
