import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Catalogs } from '../../catalog/catalogs.ts';
import { connectCatalog } from '../../catalog/connection.ts';
import type { SqlFacts, SqlReader } from '../../core/facts.ts';
import { freshScope, snapshotOf, textTable } from '../../core/testing/catalog.ts';
import { targetAt } from '../../core/testing/target.ts';
import { startPostgres, type ThrowawayPostgres } from '../../devtools/postgres.ts';
import { type ReadingOptions, ReadingProcess } from './process.ts';
import { CachedReader } from './reader.ts';
import { Readings } from './readings.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

const scope = freshScope;
const snapshot = snapshotOf([
  ...Array.from({ length: 50 }, (_, n) => textTable(1000 + n, `t${n}`, 1)),
  textTable(999, 'wide', 1_600),
]);

const SLOW = new URL('./testing/slow-program.ts', import.meta.url);

const many = (count: number, piece: string, joint = ''): string => Array(count).fill(piece).join(joint);
const tableOf = (facts: SqlFacts): string | undefined => facts.statements[0]?.uses[0]?.resource.path.at(-1);

describe('the reading process', () => {
  let reading: ReadingProcess;
  const open = (options: ReadingOptions = {}): ReadingProcess => {
    reading = new ReadingProcess(options);
    return reading;
  };
  const reads = (text: string): Promise<SqlFacts> => reading.read(text, scope, snapshot);

  afterEach(() => reading.close());

  it.each([
    ['200,000 terms', `select ${many(200_000, '1', '+')}`, 'PROTOCOL_LIMIT'],
    ['brackets 100,000 deep', `select ${'('.repeat(100_000)}1`, 'PROTOCOL_LIMIT'],
    ['2 MiB', `select '${'x'.repeat(2 << 20)}'`, 'PROTOCOL_LIMIT'],
    ['NUL', 'select 1\0', 'SQL_UNREADABLE'],
    ['a wide row 3,000 times', `select ${many(3_000, 'to_json(w)', ',')} from wide w`, 'PROTOCOL_LIMIT'],
    ['what is no SQL', 'hello', 'SQL_UNREADABLE'],
    ['an unknown relation', 'select 1 from nowhere', 'SQL_UNRESOLVED'],
  ])('refuses %s and reads on', async (_name, text, code) => {
    open();
    await expect(reads(text)).rejects.toMatchObject({ code });
    expect(tableOf(await reads('select a0 from t7'))).toBe('t7');
  });

  it('reads a thousand statements at once, each right', async () => {
    open();
    const found = await Promise.all(Array.from({ length: 1_000 }, (_, n) => reads(`select a0, ${n} from t${n % 50}`)));
    expect(found.map(tableOf)).toEqual(Array.from({ length: 1_000 }, (_, n) => `t${n % 50}`));
  });

  it('gives up what takes too long, and that alone', async () => {
    open({ program: SLOW });
    await reads('select 1');
    const slow = reads('select 1 /* takes 60000 ms */');
    const others = Array.from({ length: 20 }, (_, n) => reads(`select a0 from t${n}`));
    await expect(slow).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
    expect((await Promise.all(others)).map(tableOf)).toEqual(Array.from({ length: 20 }, (_, n) => `t${n}`));
    expect(tableOf(await reads('select a0 from t3'))).toBe('t3');
  });

  it('traces views between statements, and leaves out what it cannot', async () => {
    open();
    const views = ['select a0, a0 || a0 from public.t3', 'hello', 'select a0, a0 from public.nowhere'];
    const definitions = views.map((text, n) => ({ view: n, text, columns: [1, 2] }));
    const [before, found, after] = await Promise.all([
      reads('select a0 from t1'),
      reading.trace(definitions, { ...snapshot, epoch: 2 }),
      reads('select a0 from t2'),
    ]);
    const from = [{ relation: 1003, attribute: 1 }];
    expect(found).toEqual([
      {
        view: 0,
        columns: [
          { attribute: 1, from, same: from[0] },
          { attribute: 2, from },
        ],
      },
    ]);
    expect([before, after].map(tableOf)).toEqual(['t1', 't2']);
  });

  it('gives up views that take too long, and reads on', async () => {
    open({ program: SLOW });
    await reads('select 1');
    const slow = reading.trace([{ view: 1, text: 'select 1 /* takes 60000 ms */', columns: [1] }], snapshot);
    const other = reads('select a0 from t3');
    await expect(slow).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
    expect(tableOf(await other)).toBe('t3');
  });

  it('gives a large catalog the time it takes', async () => {
    open({ program: SLOW });
    await reads('select 1');
    const large = { ...snapshot, epoch: 2, schemas: ['public', 'takes 1500 ms'] };
    expect(tableOf(await reading.read('select a0 from t7', scope, large))).toBe('t7');
    await expect(reading.read('select 1 /* takes 60000 ms */', scope, large)).rejects.toMatchObject({
      message: 'the statement took too long to read',
    });
  });

  it('closes while a process it gave up is on its way out', async () => {
    open({ program: SLOW });
    await expect(reads('select 1 /* takes 60000 ms */')).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
    const waiting = expect(reads('select 1')).rejects.toMatchObject({ code: 'ABORTED' });
    await reading.close();
    await waiting;
  });

  it('is replaced when the reading itself breaks, and the others are read by the next', async () => {
    open();
    await reads('select 1');
    const broken = reading.read('select 1', { ...scope, searchPath: null } as never, snapshot);
    const others = Array.from({ length: 20 }, (_, n) => reads(`select a0 from t${n}`));
    await expect(broken).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
    expect((await Promise.all(others)).map(tableOf)).toEqual(Array.from({ length: 20 }, (_, n) => `t${n}`));
  });

  it('is replaced when its engine dies, and the others are read by the next', async () => {
    open({ program: SLOW });
    await reads('select 1');
    const broken = reads('select 1 /* aborts */');
    const others = Array.from({ length: 20 }, (_, n) => reads(`select a0 from t${n}`));
    await expect(broken).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
    expect((await Promise.all(others)).map(tableOf)).toEqual(Array.from({ length: 20 }, (_, n) => `t${n}`));
  });

  it('refuses each statement where no process comes up', async () => {
    open({ program: new URL('./testing/broken-program.ts', import.meta.url) });
    const settled = await Promise.allSettled(Array.from({ length: 3 }, () => reads('select 1')));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(reads('select 1')).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
  });

  it('may be missing while the system gives nothing, and comes back', () => {
    const program = fileURLToPath(new URL('./testing/without-descriptors.ts', import.meta.url));
    const { stdout } = spawnSync('sh', ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, program], {
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(stdout.trim().split('\n')).toEqual(['read', ...Array(3).fill('SQL_UNREADABLE'), 'read']);
  });

  it('survives being broken many times', async () => {
    open();
    for (let n = 0; n < 5; n++) {
      await expect(reading.read('select 1', {} as never, snapshot)).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
    }
    expect(tableOf(await reads('select a0 from t1'))).toBe('t1');
  });

  it('refuses more than may wait', async () => {
    open({ most: 3 });
    const asked = Array.from({ length: 5 }, () => reads('select 1'));
    const settled = await Promise.allSettled(asked);
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
  });

  it('answers nothing any more once it is closed', async () => {
    open();
    const waiting = reads('select 1');
    void reading.close();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(reads('select 1')).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('people who read', () => {
  it('read apart for a while once a statement of theirs cost the process its life', async () => {
    let now = 0;
    const opened: ReadingProcess[] = [];
    const readings = new Readings({ now: () => now, monotonic: () => now }, () => {
      const one = new ReadingProcess({ program: SLOW });
      opened.push(one);
      return one;
    });
    const read = (who: string, text: string) => readings.read(text, scope, snapshot, who);
    try {
      await expect(read('mallory', 'hello')).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
      await read('mallory', 'select 1');
      expect(opened).toHaveLength(1);
      await expect(read('mallory', 'select 1 /* aborts */')).rejects.toMatchObject({ code: 'SQL_UNREADABLE' });
      const refused = () =>
        expect(read('mallory', 'select 1 /* takes 60000 ms */')).rejects.toMatchObject({
          message: 'the statement took too long to read',
        });
      const bomb = refused();
      expect(tableOf(await read('alice', 'select a0 from t3'))).toBe('t3');
      await bomb;
      expect(opened).toHaveLength(2);
      expect(tableOf(await read('mallory', 'select a0 from t4'))).toBe('t4');
      now = 600_001;
      const shared = refused();
      expect(tableOf(await read('alice', 'select a0 from t5'))).toBe('t5');
      await shared;
      expect(opened).toHaveLength(2);
    } finally {
      await readings.close();
    }
  });
});

describe('people whom no process could be started for', () => {
  it('read with everybody else again', async () => {
    const programs = ['./testing/broken-program.ts', './program.ts'];
    const opened: ReadingProcess[] = [];
    const readings = new Readings(clock, () => {
      const [program = ''] = programs.splice(0, 1);
      const one = new ReadingProcess({ program: new URL(program, import.meta.url) });
      opened.push(one);
      return one;
    });
    for (let n = 0; n < 2; n++) {
      await expect(readings.read('select 1', scope, snapshot, 'alice')).rejects.toMatchObject({
        code: 'SQL_UNREADABLE',
      });
    }
    expect(opened).toHaveLength(1);
    await readings.close();
  });
});

describe('the reader', () => {
  let server: ThrowawayPostgres;
  let catalogs: Catalogs;
  let readings: Readings;
  let reader: SqlReader;

  beforeAll(async () => {
    server = await startPostgres();
    await server.query('create table a (x int)');
    const target = targetAt(server);
    const credential = { user: server.user, password: server.password, role: undefined };
    const rules = { labels: [], columns: [] };
    catalogs = new Catalogs({
      connect: (_target, database) => connectCatalog(target, database, credential),
      rules: () => rules,
      clock,
      onProblem: () => {},
    });
    readings = new Readings(clock);
    reader = new CachedReader(catalogs, readings, clock).as('alice');
  });

  afterAll(async () => {
    await readings?.close();
    await catalogs?.close();
    await server?.stop();
  });

  it('answers at once what it has read before in the same scope', async () => {
    const first = reader.read('select x from a', scope);
    expect(first).toBeInstanceOf(Promise);
    const facts = await first;
    expect(reader.read('select x from a', scope)).toBe(facts);
    expect(reader.read('select x from a', { ...scope })).toBe(facts);
    expect(reader.read('select x from a', { ...scope, searchPath: ['public'] })).toBeInstanceOf(Promise);
  });

  it('answers at once what differs from that in plain numbers only, however often', async () => {
    const facts = await reader.read('select x from a where x = 1', scope);
    for (let n = 0; n < 600; n++) {
      expect(reader.read(`select x from a where x = ${n}`, scope)).toBe(facts);
      expect(reader.read(`select x from a where x = ${n}`, scope)).toBe(facts);
    }
    expect(reader.read("select x from a where x = '1'", scope)).toBeInstanceOf(Promise);
  });

  it('looks again for a name it does not know, once', async () => {
    await server.query('create table b (x int)');
    expect(tableOf(await reader.read('select x from b', scope))).toBe('b');
    await server.query('create table c (x int)');
    // Within a second it does not look once more.
    await expect(reader.read('select x from c', scope)).rejects.toMatchObject({ code: 'SQL_UNRESOLVED' });
    reader.changed('shop', 'postgres');
    expect(tableOf(await reader.read('select x from c', scope))).toBe('c');
  });

  it('forgets what it read under another catalog', async () => {
    await reader.read('select x from a', scope);
    await server.query('alter table a rename x to y');
    reader.changed('shop', 'postgres');
    await expect(reader.read('select x from a', scope)).rejects.toMatchObject({ code: 'SQL_UNRESOLVED' });
    const facts = await reader.read('select y from a', scope);
    expect(facts.statements[0]?.columns[0]?.column.path.at(-1)).toBe('y');
  });

  it('gives one fingerprint to texts that differ in literals only', async () => {
    const [one, same, other] = await Promise.all(
      ['select y from a where y = 1', 'SELECT y FROM a WHERE y = 22 -- x', 'select y from a where y > 1'].map(
        async (text) => await reader.read(text, scope),
      ),
    );
    expect(one?.fingerprint).toBe(same?.fingerprint);
    expect(one?.fingerprint).not.toBe(other?.fingerprint);
  });

  it('reads nothing of a database it cannot look into', async () => {
    await expect(reader.read('select 1', { ...scope, database: 'nowhere' })).rejects.toMatchObject({
      code: 'CATALOG_UNREADABLE',
    });
  });
});
