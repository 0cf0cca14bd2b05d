import { type Static, Type } from 'typebox';
import { formatAddress } from '../../config/address.ts';
import type { TargetConfig } from '../../config/config.ts';
import { bypassLines, toldBypass } from '../bypass.ts';
import { callerId, demand, may, reaches } from '../caller.ts';
import { notFound } from '../http-problem.ts';
import type { Routes } from '../routes.ts';

const name = Type.Object({ name: Type.String({ maxLength: 63 }) });
const sealing = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' }),
    value: Type.String({ minLength: 1, maxLength: 16_384 }),
  },
  { additionalProperties: false },
);
const discovering = Type.Object(
  {
    database: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    sample: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
    tables: Type.Optional(Type.String({ pattern: '^[^.]{1,256}\\.[^.]{1,256}$' })),
    all: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
/** Rows of each table, unless more or fewer are asked for. */
const SAMPLE = 1000;

export function targetRoutes({ app, ports, caller }: Routes): void {
  app.get('/v1/targets', async (request) => {
    const who = await caller(request);
    const admin = may(who, 'gateway-admin', ports);
    const { targets, listen } = ports.config();
    const { host, port } = listen.postgres;
    const postgres = formatAddress({ host, port: port === 0 ? (ports.postgresPort?.() ?? 0) : port });
    const seen = targets.filter((target) => admin || reaches(who, target, ports));
    const watched = new Map(admin ? ports.bypass.states().map((state) => [state.target, toldBypass(state)]) : []);
    return {
      listen: { postgres },
      targets: seen.map((target) => {
        if (!admin) return describe(target);
        return { ...describe(target), ...inner(target), bypass: watched.get(target.name) ?? null };
      }),
    };
  });

  app.post('/v1/targets/:name/test', { schema: { params: name } }, async (request) => {
    const who = await caller(request);
    demand(who, ['gateway-admin'], ports);
    const { name: wanted } = request.params as Static<typeof name>;
    if (!ports.config().targets.some((target) => target.name === wanted)) throw notFound('target');
    const test = await ports.targets.test(wanted);
    const state = test.ok ? await ports.bypass.look(wanted) : undefined;
    return { ...test, ...(state === undefined ? {} : { bypass: { ...toldBypass(state), lines: bypassLines(state) } }) };
  });

  app.post('/v1/targets/:name/discover', { schema: { params: name, body: discovering } }, async (request) => {
    const who = await caller(request);
    demand(who, ['gateway-admin'], ports);
    const { name: wanted } = request.params as Static<typeof name>;
    const target = ports.config().targets.find((one) => one.name === wanted);
    if (target === undefined) throw notFound('target');
    const asked = request.body as Static<typeof discovering>;
    const { database = target.database, sample = SAMPLE, tables, all = false } = asked;
    if (!target.databases.includes(database)) throw notFound(`database of ${wanted}`);
    await ports.evidence.audit({
      v: 1,
      type: 'target.sampled',
      at: new Date(ports.clock.now()).toISOString(),
      target: wanted,
      database,
      rows: sample,
      ...(tables === undefined ? {} : { tables }),
      by: callerId(who),
    });
    const wish = { sample, all, ...(tables === undefined ? {} : { tables }) };
    return { target: wanted, database, ...(await ports.targets.discover(wanted, database, wish)) };
  });

  app.post('/v1/targets/seal', { schema: { body: sealing } }, async (request, reply) => {
    const who = await caller(request);
    demand(who, ['gateway-admin'], ports);
    const { name: under, value } = request.body as Static<typeof sealing>;
    // Written down first: a secret that changed without a trace is worse than a trace without a change.
    await ports.evidence.audit({
      v: 1,
      type: 'secret.sealed',
      at: new Date(ports.clock.now()).toISOString(),
      name: under,
      by: callerId(who),
    });
    await ports.targets.seal(under, value, callerId(who));
    reply.code(204);
  });
}

function describe({ name, database, databases, roles, labels, mode }: TargetConfig) {
  return { name, protocol: 'postgres', database, databases, roles, labels, mode };
}

/** What only administrators need to see. */
function inner({ address, tls, credential, recording, connections, columns }: TargetConfig) {
  return {
    address: 'path' in address ? address.path : formatAddress(address),
    tls: tls.mode,
    user: credential.user,
    recording,
    connections,
    columns,
  };
}
