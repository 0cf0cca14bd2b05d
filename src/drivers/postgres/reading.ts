import { type Denial, deny } from '../../core/decision.ts';
import type { SqlFacts, SqlName, StatementFacts } from '../../core/facts.ts';
import { asFault, Fault } from '../../core/fault.ts';
import type { Operation } from '../../core/operation.ts';
import type { Asking } from './asking.ts';
import { FLUSH, SYNC } from './messages.ts';
import type { Names } from './names.ts';
import { PROBE, readProbe } from './probe.ts';
import { sourceMasks } from './source-masks.ts';
import type { Cursor, Portal, Prepared } from './statements.ts';

/** A denial with the SQLSTATE that fits it best, where the reason alone does not say. */
export interface Refusal {
  readonly denial: Denial;
  readonly state?: string;
}

export function isRefusal(found: SqlFacts | Refusal): found is Refusal {
  return 'denial' in found;
}

/**
 * Facts of a text in the present scope, which is probed first when it is stale; or why it cannot be read. Mostly there
 * is nothing to wait for: a turn of the promise queue costs as much as a step on this road.
 */
export function read(asking: Asking, text: string): Found | Promise<Found> {
  const settling = settleScope(asking);
  return settling === undefined ? readNow(asking, text) : settling.then(() => readNow(asking, text));
}

type Found = SqlFacts | Refusal;

function readNow({ talk }: Asking, text: string): Found | Promise<Found> {
  try {
    const found = talk.read(text);
    return found instanceof Promise ? found.catch(cannotBeRead) : found;
  } catch (thrown) {
    return cannotBeRead(thrown);
  }
}

function cannotBeRead(thrown: unknown): Refusal {
  return unreadable(asFault(thrown));
}

/**
 * What a text really runs: EXECUTE and FETCH stand for the statement that was prepared or declared, and are decided
 * by it. Texts that neither prepare nor run by name come back as they are.
 */
export function resolve(asking: Asking, facts: SqlFacts): Found | Promise<Found> {
  const names = facts.statements.find((each) => each.names !== undefined && !dropsNames(each.names))?.names;
  if (names === undefined) return facts;
  return facts.statements.length > 1 ? { denial: oneByOne() } : resolveName(asking, facts, names);
}

async function resolveName(asking: Asking, facts: SqlFacts, { kind, name = '' }: SqlName): Promise<Found> {
  const { talk } = asking;
  await settleName(asking, kind === 'execute' ? talk.prepared : talk.portals, name);
  if (kind === 'execute') {
    const prepared = talk.prepared.get(name);
    if (prepared === undefined) {
      return { denial: deny('unresolved', `prepared statement "${name}" does not exist`), state: '26000' };
    }
    const inner = await read(asking, prepared.text);
    return isRefusal(inner) ? inner : merge(facts, inner);
  }
  if (kind === 'fetch') {
    const cursor = talk.portals.get(name);
    const inner = cursor?.kind === 'portal' ? cursor.run.clearance.operation.facts : cursor?.facts;
    if (inner?.statements.length !== 1) {
      return { denial: deny('unresolved', `cursor "${name}" does not exist`), state: '34000' };
    }
    return merge(facts, inner);
  }
  return facts;
}

/** CLOSE and DEALLOCATE: nothing is read by the name. */
function dropsNames({ kind }: SqlName): boolean {
  return kind === 'close' || kind === 'deallocate';
}

/** The statement or cursor that EXECUTE or FETCH would run now. */
export function namedBy({ talk }: Asking, facts: SqlFacts): Prepared | Portal | Cursor | undefined {
  const names = facts.statements[0]?.names;
  if (names?.kind === 'execute') return talk.prepared.get(names.name ?? '');
  return names?.kind === 'fetch' ? talk.portals.get(names.name ?? '') : undefined;
}

/** What a statement or cursor was made of. */
export function madeOf(by: Prepared | Portal | Cursor): NonNullable<Operation['runs']> {
  if (by.kind !== 'portal') return { text: by.text, parameters: undefined };
  const { text, parameters } = by.run.clearance.operation;
  return { text, parameters };
}

/** What is masked in the text that the server has under a name. */
export function masksUnder(by: Prepared | Portal | Cursor): string {
  return by.kind === 'portal' ? sourceMasks(by.run.clearance.obligations) : by.masks;
}

/** Waits until it is certain what the server has under a name. */
export async function settleName(asking: Asking, names: Names<unknown>, name: string): Promise<void> {
  while (names.inDoubt(name)) {
    // Nothing will settle it any more: the connection is over, or an answer was lost.
    if (asking.talk.pending.length === 0) throw new Fault('ABORTED', `nobody can say what "${name}" is`);
    await settle(asking);
  }
}

/** A statement whose names mean something else once an earlier one of the same message has run cannot be read yet. */
export function dependent(statements: readonly StatementFacts[]): Refusal | undefined {
  const barrier = statements.findIndex((statement) => statement.barrier && statement.transaction === undefined);
  const swallowed = statements.some((statement) => statement.settings.some((setting) => setting.class === 'swallowed'));
  const after = barrier < 0 ? [] : statements.slice(barrier + 1);
  const reads = after.some(
    (statement) => statement.uses.length > 0 || (statement.names && !dropsNames(statement.names)),
  );
  return reads || (swallowed && statements.length > 1) ? { denial: oneByOne() } : undefined;
}

function oneByOne(): Denial {
  return deny(
    'barrier',
    'a statement in this message depends on an earlier one, so it cannot be read before that has run',
    {
      hint: 'send the statements one by one',
    },
  );
}

/** SQLSTATE by the kind of thing that could not be resolved, which the reader's message begins with. */
const UNRESOLVED: Readonly<Record<string, string>> = {
  column: '42703',
  function: '42883',
  schema: '3F000',
  database: '3D000',
  type: '42704',
};

function unreadable(fault: Fault): Refusal {
  switch (fault.code) {
    case 'SQL_UNRESOLVED':
      return {
        denial: deny('unresolved', fault.message),
        state: UNRESOLVED[fault.message.split(' ')[0] ?? ''] ?? '42P01',
      };
    case 'PROTOCOL_LIMIT':
      return { denial: deny('unreadable', fault.message), state: '54000' };
    case 'CATALOG_UNREADABLE':
      return {
        denial: deny('unresolved', 'the catalog of the target cannot be read, so nothing can be decided'),
        state: '58000',
      };
    default:
      return { denial: deny('unreadable', fault.message) };
  }
}

/** Text in a wrong encoding is refused like any text that cannot be read; other damage ends the connection. */
export async function refuseText(asking: Asking, thrown: unknown, kind: 'simple' | 'extended'): Promise<void> {
  if (!(thrown instanceof Fault) || thrown.code !== 'PROTOCOL_ENCODING') throw thrown;
  const denial = deny('unreadable', 'the statement is not valid UTF-8');
  await asking.talk.session.refused('(not UTF-8)', denial);
  asking.refuse(denial, kind, '22021');
}

const merged = new WeakMap<SqlFacts, WeakMap<SqlFacts, SqlFacts>>();

/** One facts object per pair, so that decisions made for it are found again. */
function merge(outer: SqlFacts, inner: SqlFacts): SqlFacts {
  const known = merged.get(outer)?.get(inner);
  if (known) return known;
  const [by] = outer.statements;
  const [of] = inner.statements;
  if (by === undefined || of === undefined) throw new Fault('SQL_UNREADABLE', 'nothing to run by name');
  const both: SqlFacts = {
    ...inner,
    normalised: outer.normalised,
    statements: [
      {
        ...of,
        names: by.names,
        free: false,
        uses: [...by.uses, ...of.uses],
        columns: [...by.columns, ...of.columns],
        ...(by.explains ? { explains: true } : {}),
        ...(by.given ? { given: by.given } : {}),
      },
    ],
  };
  const ofOuter = merged.get(outer) ?? new WeakMap<SqlFacts, SqlFacts>();
  ofOuter.set(inner, both);
  merged.set(outer, ofOuter);
  return both;
}

/** Undefined when it is certain, on a connection to the target, what names mean. */
function settleScope(asking: Asking): Promise<void> | undefined {
  const { talk } = asking;
  if (talk.upstream === undefined) return asking.connect().then(() => (talk.names.stale ? probe(asking) : undefined));
  return talk.names.stale ? probe(asking) : undefined;
}

/** Waits until everything sent is answered, then asks on the same connection what names mean now. */
async function probe(asking: Asking): Promise<void> {
  const { talk } = asking;
  await settle(asking);
  // In a failed transaction nothing but its end is executed, so what names mean has no effect.
  if (talk.status === 'E' || talk.skipping || talk.upstream === undefined) return;
  const rows: Uint8Array[] = [];
  const synced = !talk.inPipeline;
  const answered = new Promise<'answered' | 'skipped'>((settled) => {
    talk.pending.push({ kind: 'probe', synced, rows, closes: 0, settled });
  });
  talk.toServer.piece(PROBE);
  talk.toServer.piece(synced ? SYNC : FLUSH);
  talk.flushServer();
  if ((await answered) === 'skipped') throw new Fault('ABORTED', 'the target closed the connection');
  const found = readProbe(rows);
  // DISCARD ALL, for one, gives up a role that was assumed; what was decided for it must not run as another.
  if (talk.lease?.credential.role !== undefined && found.role !== talk.lease.credential.role) {
    throw new Fault('TARGET_PROTOCOL', 'the role of this session was given up; connect again');
  }
  talk.names.probed(found);
}

/** Waits until everything sent is answered or skipped. */
export async function settle({ talk }: Asking): Promise<void> {
  if (talk.pending.copyingIn) throw new Fault('PROTOCOL_UNEXPECTED', 'a statement in the middle of COPY');
  if (talk.pending.length === 0) return;
  const answered = talk.pending.drained();
  if (talk.pending.unsynced) talk.toServer.piece(FLUSH);
  talk.flushServer();
  await answered;
}
