import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSigner } from '../../src/audit/signing.ts';
import { openEvidence } from '../../src/audit/writer.ts';
import type { Catalogs } from '../../src/catalog/catalogs.ts';
import type { SqlReader, SqlScope } from '../../src/core/facts.ts';
import type { Feed } from '../../src/core/feed.ts';
import type { Chain } from '../../src/core/grant.ts';
import { newId } from '../../src/core/id.ts';
import { TargetMeasures } from '../../src/core/measures.ts';
import type { Operation } from '../../src/core/operation.ts';
import { freshScope, snapshotOf } from '../../src/core/testing/catalog.ts';
import { targetAt } from '../../src/core/testing/target.ts';
import type { Budgets } from '../../src/data/budgets.ts';
import { LiveSession } from '../../src/data/live-session.ts';
import { CachedReader } from '../../src/data/reader/reader.ts';
import { Readings } from '../../src/data/reader/readings.ts';
import { Registry, strikable } from '../../src/data/registry.ts';
import { Revocations } from '../../src/data/revocations.ts';
import { Witness } from '../../src/data/witness.ts';
import { agent, alice, chainOf, engineFor } from '../../src/policy/testing/chain.ts';
import { recordingKeys } from '../../src/recording/keys.ts';
import { envelope } from '../../src/secrets/envelope.ts';
import { rootKey } from '../../src/secrets/root-key.ts';
import { systemClock, systemRandom } from '../../src/wiring/system.ts';
import type { Opened, Part, Reading } from './part.ts';

const HOUR = 3_600_000;
const NAME = 'bench';

const columns = ['aid', 'bid', 'abalance', 'filler'].map((name, n) => {
  return { name, attribute: n + 1, type: n === 3 ? 25 : 23, labels: [] };
});
const accounts = {
  oid: 16_400,
  schema: 'public',
  name: 'pgbench_accounts',
  kind: 'r',
  labels: [],
  active: false,
  columns,
} as const;
const snapshot = snapshotOf([accounts], { target: NAME, database: NAME });
const scope: SqlScope = { ...freshScope, target: NAME, database: NAME };

const POLICIES = `
@id("work") permit (principal, action, resource);
@id("bounded") forbid (principal, action in [Action::"update", Action::"delete"], resource) when { !context.statement.bounded };
`;

const SHORT = 'SELECT abalance FROM pgbench_accounts WHERE aid = 4711';
/** Some 330 bytes, as an ORM writes it. */
const LONG = `SELECT "a"."aid" AS "a_aid", "a"."bid" AS "a_bid", "a"."abalance" AS "a_abalance", "a"."filler" AS "a_filler" FROM "public"."pgbench_accounts" AS "a" WHERE ("a"."bid" = 1 AND "a"."abalance" > 100 AND "a"."filler" IS NOT NULL) OR "a"."aid" IN (1, 2, 3, 4) ORDER BY "a"."aid" ASC, "a"."abalance" DESC LIMIT 50 OFFSET 10`;

/** Sessions on a real engine, reader and evidence writer; only what lies beyond them is left out. */
async function open(sessions: number) {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-part-'));
  const evidence = join(directory, 'evidence');
  mkdirSync(evidence);
  const keys = join(directory, 'keys');
  const writer = await openEvidence({
    dir: evidence,
    node: NAME,
    worker: 1,
    durability: 'process',
    quickWrites: true,
    sealer: recordingKeys(join(keys, 'recordings'), envelope(rootKey(new Uint8Array(32).fill(1))), systemClock),
    signer: loadSigner(keys),
    clock: systemClock,
    alarm: (fault) => console.error(fault),
  });
  const readings = new Readings(systemClock);
  const catalogs = { current: () => snapshot, get: async () => snapshot, changed: () => {} } as unknown as Catalogs;
  const reader = new CachedReader(catalogs, readings, systemClock).as(alice.id);
  const engine = engineFor(POLICIES);
  const feed = { subscribe: () => () => {}, age: () => 0 } as unknown as Feed;
  const revocations = new Revocations(feed, new Registry(), HOUR, () => {});
  const expires = Date.now() + 8 * HOUR;
  const [root, ...rest] = chainOf(alice, [{ agent: agent('ci') }]).grants;
  const chain: Chain = { grants: [{ ...root, expires }, ...rest.map((grant) => ({ ...grant, expires }))] };
  const target = targetAt({ host: 'localhost', port: 5432 }, { name: NAME });
  const nobody = () => Promise.reject(new Error('nobody is asked'));
  const live = Array.from({ length: sessions }, () => {
    const id = newId(systemClock, systemRandom);
    const subject = { session: id, chain, target: NAME, database: NAME, role: scope.role, searchPath: [] };
    const witness = new Witness(writer, systemClock, subject, target.recording);
    return new LiveSession(
      {
        id,
        chain,
        target,
        database: NAME,
        role: scope.role,
        binding: 'scram',
        source: '127.0.0.1',
        limits: { detect: undefined, budgets: [], rows: undefined },
        tag: NAME,
        strikables: strikable(chain, NAME, id),
      },
      {
        clock: systemClock,
        engine,
        reader,
        revocations,
        witness,
        measures: new TargetMeasures(),
        budgets: {} as Budgets,
        debit: nobody,
        ask: nobody,
        lease: nobody,
        hasher: () => (bytes) => bytes,
        ended: async () => {},
      },
    );
  });
  const close = async (): Promise<void> => {
    await writer.close();
    await readings.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { reader, live, close };
}

async function operationOf(reader: SqlReader, text: string): Promise<Operation> {
  const facts = await reader.read(text, scope);
  return { protocol: 'postgres', text, parameters: undefined, facts, database: NAME, role: scope.role, searchPath: [] };
}

/** Reading and deciding what was read and decided before: the same text, and one that differs in its numbers. */
export const lookUp: Part = {
  name: 'decision-look-up',
  title: 'Look-up of a decision made before',
  unit: 'µs',
  better: 'less',
  open: async (): Promise<Opened> => {
    const { reader, live, close } = await open(1);
    const [session] = live;
    const again = async (of: string, texts: readonly string[], seconds: number): Promise<Reading> => {
      for (const text of texts) await reader.read(text, scope);
      const until = performance.now() + seconds * 1000;
      let best = Number.POSITIVE_INFINITY;
      while (performance.now() < until) {
        const begin = performance.now();
        for (let n = 0; n < TURNS; n++) {
          const text = texts[n % texts.length] ?? '';
          const facts = reader.read(text, scope);
          if (facts instanceof Promise) throw new Error(`${text} was not remembered`);
          session?.foresee({
            protocol: 'postgres',
            text,
            parameters: undefined,
            facts,
            database: NAME,
            role: scope.role,
            searchPath: [],
          });
        }
        best = Math.min(best, ((performance.now() - begin) * 1000) / TURNS);
      }
      return { of, value: best };
    };
    const numbered = Array.from({ length: 500 }, (_, n) => SHORT.replace('4711', String(n)));
    return {
      measure: async (seconds) => [
        await again('the same text, 54 bytes', [SHORT], seconds / 3),
        await again('the same text, 340 bytes', [LONG], seconds / 3),
        await again('other numbers, 54 bytes', numbered, seconds / 3),
      ],
      close,
    };
  },
};

const TURNS = 20_000;

/** From an operation's facts to its clearance and the record of its outcome, CPU of the whole process. */
export const gate: Part = {
  name: 'gate',
  title: 'The whole gate with its records: decide, record, clear, record the outcome (CPU)',
  unit: 'µs',
  better: 'less',
  open: async (): Promise<Opened> => {
    const { reader, live, close } = await open(8);
    const operation = await operationOf(reader, SHORT);
    const frames = new Uint8Array(120).fill(0x41);
    const run = async (sessions: readonly LiveSession[], seconds: number): Promise<number> => {
      const until = performance.now() + seconds * 1000;
      const before = process.cpuUsage();
      let count = 0;
      await Promise.all(
        sessions.map(async (session) => {
          while (performance.now() < until) {
            const cleared = await session.clear(operation);
            if ('effect' in cleared) throw new Error('it was not cleared');
            session.tape.frames(cleared.sequence, frames.slice());
            session.tape.done(cleared.sequence, {
              tag: 'SELECT 1',
              error: undefined,
              rows: 1,
              kept: 1,
              bytes: frames.length,
              found: {},
              duration: 0.8,
            });
            count += 1;
          }
        }),
      );
      const { user, system } = process.cpuUsage(before);
      return (user + system) / count;
    };
    return {
      measure: async (seconds) => [
        { of: 'one session', value: await run(live.slice(0, 1), seconds / 2) },
        { of: 'eight sessions at once', value: await run(live, seconds / 2) },
      ],
      close,
    };
  },
};
