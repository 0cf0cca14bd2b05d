import type { Operation } from '../../core/operation.ts';
import { readQuery, writeQuery } from '../../wire/postgres/query.ts';
import type { Asking } from './asking.ts';
import {
  dependent,
  isRefusal,
  madeOf,
  masksUnder,
  namedBy,
  type Refusal,
  read,
  refuseText,
  resolve,
} from './reading.ts';
import { register } from './register.ts';
import { Run } from './run.ts';
import { SWALLOWED_QUERY } from './settings.ts';
import { outdated, sourceMasks } from './source-masks.ts';

/** The simple protocol: one message, any number of statements, decided together before any of it is forwarded. */
export async function query(asking: Asking): Promise<void> {
  const { talk, frame } = asking;
  const { session } = talk;
  let text: string;
  try {
    text = readQuery(frame.bytes, frame.start + 5, frame.end);
  } catch (thrown) {
    return await refuseText(asking, thrown, 'simple');
  }

  const refuse = async ({ denial, state }: Refusal): Promise<void> => {
    await session.refused(text, denial);
    asking.refuse(denial, 'simple', state);
  };
  const reading = read(asking, text);
  const written = reading instanceof Promise ? await reading : reading;
  if (isRefusal(written)) return await refuse(written);
  const resolving = resolve(asking, written);
  const facts = resolving instanceof Promise ? await resolving : resolving;
  if (isRefusal(facts)) return await refuse(facts);
  const barred = dependent(facts.statements);
  if (barred !== undefined) return await refuse(barred);

  const { database } = session;
  const by = namedBy(asking, facts);
  const operation: Operation = {
    protocol: 'postgres',
    text,
    parameters: undefined,
    facts,
    database,
    role: talk.names.scope.role,
    searchPath: talk.names.scope.searchPath,
    ...(by === undefined ? {} : { runs: madeOf(by) }),
  };
  const cleared = await session.clear(operation, asking.waits.for(operation));
  asking.waits.over();
  if ('effect' in cleared) return asking.refuse(cleared, 'simple');

  const masks = sourceMasks(cleared.obligations);
  if (by !== undefined && masksUnder(by) !== masks) return await refuse(outdated());
  const { sent } = cleared;

  const run = new Run(cleared, session, talk.leaving);
  if (talk.deaf) return run.end('skipped');
  const undo = register(talk, operation, masks);
  for (const each of facts.statements) talk.names.forwarded(each);
  talk.inPipeline = false;
  talk.bound = false;
  talk.pending.push({ kind: 'query', run, ...(undo ? { undo } : {}) });
  talk.boundary();
  if (facts.statements.some((each) => each.settings.some((setting) => setting.class === 'swallowed'))) {
    talk.toServer.piece(SWALLOWED_QUERY);
  } else if (sent !== text) {
    talk.toServer.piece(writeQuery(sent));
  } else {
    asking.forward();
  }
  if (run.exclusive && !run.copiesIn) {
    talk.flushServer();
    await talk.pending.drained();
  }
}
