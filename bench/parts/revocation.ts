import { Counter } from '../clients/count.ts';
import { RawClient } from '../clients/raw.ts';
import { ask } from '../targets/gateway.ts';
import { type Node, type Nodes, type Pass, startNodes } from '../targets/nodes.ts';
import type { Part, Reading } from './part.ts';

/** Of the connections, one in so many is in the middle of a statement. */
const BUSY_EVERY = 4;

/**
 * How long after somebody asks for a pass to be revoked the last of its connections is closed. They are spread over the
 * nodes that are named; the revocation is always asked of the first. Every value is one run.
 */
export const revocation: Part = {
  name: 'revocation',
  title: 'Revoke to last byte, 200 live connections, a quarter of them running a statement (--quick: 50)',
  unit: 'ms',
  better: 'less',
  async open() {
    const world = await startNodes();
    const [first, second] = world.nodes;
    return {
      async measure(seconds) {
        const [connections, runs] = seconds > 1 ? [200, 4] : [50, 1];
        const readings: Reading[] = [];
        for (let n = 0; n < runs; n++) {
          readings.push({ of: 'one node', value: await run(world, [first], connections) });
          readings.push({ of: 'two nodes, one store', value: await run(world, [first, second], connections) });
        }
        return readings;
      },
      close: () => world.close(),
    };
  },
};

async function run(world: Nodes, nodes: readonly Node[], connections: number): Promise<number> {
  const [pass, other] = [await world.pass(), await world.pass()];
  const bystander = await open(other, nodes[0]);
  const clients: RawClient[] = [];
  for (let n = 0; n < connections; n++) clients.push(await open(pass, nodes[n % nodes.length]));
  const cut = clients.filter((_client, n) => n % BUSY_EVERY === 0).map((client) => sleeps(client));
  await new Promise((resolve) => setTimeout(resolve, 200));

  const [{ https: port, ca } = { https: 0, ca: '' }] = nodes;
  const began = performance.now();
  await ask({ port, ca, path: '/oauth/revoke' }, { token: pass.whole });
  const ends = await Promise.all(clients.map(({ gone }) => gone));
  await Promise.all(cut);
  await bystander.ask('select 1', new Counter());
  await bystander.close();
  await ask({ port, ca, path: '/oauth/revoke' }, { token: other.whole });
  return Math.max(...ends) - began;
}

async function open({ user, password }: Pass, node: Node | undefined): Promise<RawClient> {
  const client = await RawClient.open({
    name: 'node',
    kind: 'sallyport',
    tls: false,
    host: '127.0.0.1',
    port: node?.postgres ?? 0,
    user,
    password,
    database: 'shop',
    hides: { labels: true, finds: true },
    pid: undefined,
  });
  await client.ask('select 1', new Counter());
  return client;
}

/** Resolves when the statement was cut off; one that came to its end was missed. */
async function sleeps(client: RawClient): Promise<void> {
  const missed = await client.ask('select pg_sleep(60)', new Counter()).then(
    () => true,
    () => false,
  );
  if (missed) throw new Error('a statement outlived its pass');
}
