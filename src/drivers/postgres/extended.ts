// The extended protocol. A text is read at Parse and decided at Bind, where its parameters are known: from a refused
// or held Bind on nothing is forwarded, because an executed Bind would hold locks.

import { type Denial, deny } from '../../core/decision.ts';
import type { StatementFacts } from '../../core/facts.ts';
import type { Operation, Parameter } from '../../core/operation.ts';
import { type Bind, formatAt, readBind } from '../../wire/postgres/bind.ts';
import { readNamed, writeDescribe } from '../../wire/postgres/describe.ts';
import { readExecute } from '../../wire/postgres/execute.ts';
import { readParse, writeParse } from '../../wire/postgres/parse.ts';
import { decodeUtf8, encodeUtf8 } from '../../wire/postgres/text.ts';
import type { Asking } from './asking.ts';
import { CLOSE_COMPLETE, FLUSH } from './messages.ts';
import {
  isRefusal,
  madeOf,
  masksUnder,
  namedBy,
  type Refusal,
  read,
  refuseText,
  resolve,
  settleName,
} from './reading.ts';
import { register } from './register.ts';
import { Run } from './run.ts';
import { SWALLOWED } from './settings.ts';
import { outdated, sentMasks, sourceMasks } from './source-masks.ts';
import { MAX_NAME_BYTES, type Portal, type Prepared } from './statements.ts';

export async function parse(asking: Asking): Promise<void> {
  const { talk, frame } = asking;
  const { session } = talk;
  let message: ReturnType<typeof readParse>;
  try {
    message = readParse(frame.bytes, frame.start + 5, frame.end);
  } catch (thrown) {
    return await refuseText(asking, thrown, 'extended');
  }
  const { statement: name, text, types } = message;
  if (tooLong(name)) return refuseLong(asking);
  const refuse = async ({ denial, state }: Refusal): Promise<void> => {
    await session.refused(text, denial);
    asking.refuse(denial, 'extended', state);
  };
  if (talk.prepared.full)
    return await refuse({ denial: deny('unsupported', 'too many prepared statements'), state: '54000' });
  const reading = read(asking, text);
  const facts = reading instanceof Promise ? await reading : reading;
  if (isRefusal(facts)) return await refuse(facts);
  const [first, second] = facts.statements;
  if (second !== undefined) {
    return await refuse({ denial: deny('unreadable', 'cannot insert multiple commands into a prepared statement') });
  }
  // A plan by name is told without costs, which is said in this text; anything else by name was sent before.
  const named = first?.explains ? await resolve(asking, facts) : facts;
  if (isRefusal(named)) return await refuse(named);
  const sentBefore = first === undefined || (runsByName(first) && !first.explains);
  const foreseen = sentBefore
    ? { obligations: [], sent: text }
    : session.foresee(operationOf(asking, text, named, undefined));
  if ('effect' in foreseen) return await refuse({ denial: foreseen });
  const { sent } = foreseen;
  const masks = sentMasks(foreseen.obligations);
  const statement: Prepared = { kind: 'prepared', text, types, fields: undefined, facts, masks };
  if (talk.deaf) return;
  talk.pending.push({ kind: 'parse', statement, undo: talk.prepared.set(name, statement) });
  talk.inPipeline = true;
  if (first?.settings.some((setting) => setting.class === 'swallowed')) {
    talk.toServer.piece(writeParse({ statement: name, text: SWALLOWED, types: [] }));
  } else if (sent !== text) {
    talk.toServer.piece(writeParse({ statement: name, text: sent, types }));
  } else {
    asking.forward();
  }
}

/** EXECUTE and FETCH: what they run was sent before. */
function runsByName({ names }: StatementFacts): boolean {
  return names?.kind === 'execute' || names?.kind === 'fetch';
}

export async function bind(asking: Asking): Promise<void> {
  const { talk, frame } = asking;
  const { session } = talk;
  const message = readBind(frame.bytes, frame.start + 5, frame.end);
  if (tooLong(message.statement) || tooLong(message.portal)) return refuseLong(asking);
  if (talk.prepared.inDoubt(message.statement)) await settleName(asking, talk.prepared, message.statement);
  const statement = talk.prepared.get(message.statement);
  if (statement === undefined)
    return asking.refuse(unknown('prepared statement', message.statement), 'extended', '26000');

  const refuse = async ({ denial, state }: Refusal): Promise<void> => {
    await session.refused(statement.text, denial);
    asking.refuse(denial, 'extended', state);
  };
  if (talk.portals.full) return await refuse({ denial: deny('unsupported', 'too many portals'), state: '54000' });
  let parameters: Parameter[];
  try {
    parameters = parametersOf(message);
  } catch (thrown) {
    return await refuseText(asking, thrown, 'extended');
  }
  const reading = read(asking, statement.text);
  const written = reading instanceof Promise ? await reading : reading;
  if (isRefusal(written)) return await refuse(written);
  const resolving = resolve(asking, written);
  const facts = resolving instanceof Promise ? await resolving : resolving;
  if (isRefusal(facts)) return await refuse(facts);
  if (statement.facts !== facts) {
    statement.facts = facts;
    statement.fields = undefined;
  }
  const by = namedBy(asking, facts);
  const bound = operationOf(asking, statement.text, facts, parameters);
  const operation = by === undefined ? bound : { ...bound, runs: madeOf(by) };
  const cleared = await session.clear(operation, asking.waits.for(operation));
  asking.waits.over();
  if ('effect' in cleared) return asking.refuse(cleared, 'extended');
  const alike = by
    ? masksUnder(by) === sourceMasks(cleared.obligations)
    : statement.masks === sentMasks(cleared.obligations);
  if (!alike) return await refuse(outdated());

  const run = new Run(cleared, session, talk.leaving);
  if (talk.deaf) return run.end('skipped');
  const portal: Portal = {
    kind: 'portal',
    statement,
    run,
    resultFormats: message.resultFormats,
    fields: undefined,
    scope: talk.names.scope,
    by,
    started: false,
  };
  talk.pending.push({ kind: 'bind', portal, undo: talk.portals.set(message.portal, portal) });
  talk.inPipeline = true;
  talk.bound = true;
  asking.forward();
  // Rows may be asked for without a Describe, and a labelled column's place must be the server's own word, each time.
  const labelled = facts.statements.some((each) => each.columns.some((column) => column.labels.length > 0));
  if (labelled || statement.fields === undefined) {
    talk.pending.push({ kind: 'describe', of: portal, silent: true });
    talk.toServer.piece(writeDescribe({ kind: 'portal', name: message.portal }));
  }
}

function operationOf(
  asking: Asking,
  text: string,
  facts: Operation['facts'],
  parameters: Operation['parameters'],
): Operation {
  const { session, names } = asking.talk;
  const { role, searchPath } = names.scope;
  return { protocol: 'postgres', text, parameters, facts, database: session.database, role, searchPath };
}

function parametersOf(message: Bind): Parameter[] {
  return message.parameters.map((value, i) => {
    if (value === null) return null;
    return formatAt(message.parameterFormats, i) === 0 ? decodeUtf8(value) : value.slice();
  });
}

export function describe(asking: Asking): Promise<void> | undefined {
  const { talk, frame } = asking;
  const named = readNamed(frame.bytes, frame.start + 5, frame.end);
  if (tooLong(named.name)) return refuseLong(asking);
  const names = named.kind === 'statement' ? talk.prepared : talk.portals;
  if (!names.inDoubt(named.name)) return forwardDescribe(asking, named.kind, named.name);
  return settleName(asking, names, named.name).then(() => forwardDescribe(asking, named.kind, named.name));
}

function forwardDescribe(asking: Asking, kind: 'statement' | 'portal', name: string): undefined {
  const { talk } = asking;
  // While the name was settled the pipeline may have failed: the server would not answer.
  if (talk.deaf) return undefined;
  const of = kind === 'statement' ? talk.prepared.get(name) : talk.portals.get(name);
  if (of === undefined) return refuseUnknown(asking, kind, name);
  talk.pending.push({ kind: 'describe', of, silent: false });
  talk.inPipeline = true;
  asking.forward();
  return undefined;
}

export function execute(asking: Asking): Promise<void> | undefined {
  const { talk, frame } = asking;
  const { portal: name } = readExecute(frame.bytes, frame.start + 5, frame.end);
  if (tooLong(name)) return refuseLong(asking);
  if (talk.portals.inDoubt(name)) return settleName(asking, talk.portals, name).then(() => start(asking, name));
  return start(asking, name);
}

function start(asking: Asking, name: string): Promise<void> | undefined {
  const { talk } = asking;
  const portal = talk.portals.get(name);
  if (portal === undefined) return refuseUnknown(asking, 'portal', name);
  if (portal.kind === 'cursor') {
    asking.refuse(deny('unsupported', 'a cursor of DECLARE is read with FETCH'), 'extended');
    return undefined;
  }
  const { facts } = portal.run.clearance.operation;
  const same = !talk.names.stale && talk.names.scope === portal.scope && namedBy(asking, facts) === portal.by;
  return same || portal.started ? forwardExecute(asking, portal) : readAgain(asking, portal);
}

/** What names mean was touched since Bind, and a utility statement asks what they mean only now. */
async function readAgain(asking: Asking, portal: Portal): Promise<void> {
  const { operation } = portal.run.clearance;
  const written = await read(asking, operation.text);
  const facts = isRefusal(written) ? written : await resolve(asking, written);
  const alike =
    !isRefusal(facts) &&
    namedBy(asking, operation.facts) === portal.by &&
    JSON.stringify(facts) === JSON.stringify(operation.facts);
  if (alike) return await forwardExecute(asking, portal);
  const denial = deny('barrier', 'what this statement names has changed since it was bound', { hint: 'bind it again' });
  await asking.talk.session.refused(operation.text, denial);
  asking.refuse(denial, 'extended');
}

function forwardExecute(asking: Asking, portal: Portal): Promise<void> | undefined {
  const { talk } = asking;
  if (talk.deaf) return undefined;
  const { run } = portal;
  const still = talk.session.stillClear(run.clearance);
  if (still !== true) {
    asking.refuse(still, 'extended');
    return undefined;
  }
  portal.started = true;
  const { facts } = run.clearance.operation;
  const [statement] = facts.statements;
  const undo = register(talk, run.clearance.operation, portal.statement.masks);
  if (statement !== undefined) talk.names.forwarded(statement);
  talk.pending.push({ kind: 'execute', portal, ...(undo ? { undo } : {}) });
  talk.inPipeline = true;
  asking.forward();
  if (!run.exclusive || run.copiesIn) return undefined;
  talk.toServer.piece(FLUSH);
  talk.flushServer();
  return talk.pending.drained();
}

export function close(asking: Asking): undefined {
  const { talk, frame } = asking;
  const named = readNamed(frame.bytes, frame.start + 5, frame.end);
  if (tooLong(named.name)) return refuseLong(asking);
  if (talk.upstream === undefined) {
    talk.toClient.piece(CLOSE_COMPLETE);
    return undefined;
  }
  const undo = named.kind === 'statement' ? talk.prepared.drop(named.name) : talk.portals.drop(named.name);
  talk.pending.push({ kind: 'close', undo });
  talk.inPipeline = true;
  asking.forward();
  return undefined;
}

function tooLong(name: string): boolean {
  // Of UTF-16's units none takes more than three bytes.
  return name.length * 3 > MAX_NAME_BYTES && encodeUtf8(name).length > MAX_NAME_BYTES;
}

/** Servers would cut it, silently, to what may be another's name. */
function refuseLong(asking: Asking): undefined {
  asking.refuse(deny('unsupported', `a name may have at most ${MAX_NAME_BYTES} bytes`), 'extended', '42622');
  return undefined;
}

function refuseUnknown(asking: Asking, kind: 'statement' | 'portal', name: string): undefined {
  if (kind === 'statement') asking.refuse(unknown('prepared statement', name), 'extended', '26000');
  else asking.refuse(unknown('portal', name), 'extended', '34000');
  return undefined;
}

function unknown(what: string, name: string): Denial {
  return deny('unresolved', `${what} "${name}" does not exist`);
}
