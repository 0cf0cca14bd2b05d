import { ByteWriter } from '../../../src/wire/postgres/byte-writer.ts';
import { writeClose, writeDescribe } from '../../../src/wire/postgres/describe.ts';
import { writeExecute } from '../../../src/wire/postgres/execute.ts';
import { writeParse } from '../../../src/wire/postgres/parse.ts';
import { writeQuery } from '../../../src/wire/postgres/query.ts';
import { Choices } from './choices.ts';

/** Messages that end in exactly one ReadyForQuery. */
export interface Batch {
  readonly bytes: Uint8Array;
  /** For people. */
  readonly said: string;
}

interface Message {
  readonly bytes: Uint8Array;
  readonly said: string;
}

const SYNC: Message = { bytes: Uint8Array.of(0x53, 0, 0, 0, 4), said: 'Sync' };
const FLUSH: Message = { bytes: Uint8Array.of(0x48, 0, 0, 0, 4), said: 'Flush' };

/** Names are shared on purpose: statements of the protocol with PREPARE, portals with cursors. */
const NAMES = ['', 'a', 'p'] as const;

const TEXTS = [
  'select email from customers order by id',
  'select id, name from customers order by id limit 2',
  "select upper(email), id from customers where handle = 'handle1'",
  'select name as email, email as name from people order by id',
  'select born, salary, profile, key, picture, level from customers order by id limit 3',
  'select id, lower(token) from customers where id = $1',
  'select ssn, id from customers where id = any ($1::int[]) or id < 3 order by id',
  'select c from customers c order by id limit 2',
  'table vip',
  'copy (select email from customers order by id) to stdout',
  'prepare a as select ssn from customers order by id',
  'prepare a as select name from customers order by id',
  'prepare p as select upper(email) from customers order by id',
  'execute a',
  'execute p',
  'deallocate a',
  'deallocate all',
  'declare p cursor for select phone, id from customers order by id',
  'declare p cursor for select id, name from customers order by id',
  'declare a scroll cursor with hold for select length(email) from customers order by id',
  'fetch 2 from p',
  'fetch 1 from a',
  'fetch backward 1 from a',
  'move 1 in p',
  'close p',
  'begin',
  'commit',
  'rollback',
  'savepoint s',
  'rollback to s',
  "set datestyle = 'German'",
  'discard all',
  'select 1/0',
  'select nothing from nowhere',
  "select id from customers where email like 'b1%'",
  'select 1 as one',
  'select id, email from logins order by id; select name from customers order by id limit 1',
] as const;

export function generateBatches(numbers: readonly number[]): Batch[] {
  const choices = new Choices(numbers);
  return Array.from({ length: 2 + choices.pick(6) }, () => {
    const messages = choices.once(3) ? [query(choices)] : [...extended(choices), SYNC];
    return {
      bytes: Buffer.concat(messages.map(({ bytes }) => bytes)),
      said: messages.map(({ said }) => said).join(', '),
    };
  });
}

function query(choices: Choices): Message {
  const text = choices.of(TEXTS).replaceAll(/\$1::int\[\]|\$1/g, '3');
  return { bytes: writeQuery(text), said: `Query ${text}` };
}

/** Mostly in an order that leads somewhere. */
function extended(choices: Choices): Message[] {
  const statement = choices.of(NAMES);
  const portal = choices.of(NAMES);
  const straight = [
    parse(choices, statement),
    bind(choices, portal, statement),
    describe(choices),
    execute(choices, portal),
  ];
  const more = Array.from({ length: choices.pick(5) }, () => anything(choices));
  return choices.once(4) ? more : [...straight.filter(() => !choices.once(6)), ...more];
}

function anything(choices: Choices): Message {
  switch (choices.pick(6)) {
    case 0:
      return parse(choices, choices.of(NAMES));
    case 1:
      return bind(choices, choices.of(NAMES), choices.of(NAMES));
    case 2:
      return describe(choices);
    case 3:
      return execute(choices, choices.of(NAMES));
    case 4: {
      const what = { kind: choices.of(['statement', 'portal'] as const), name: choices.of(NAMES) };
      return { bytes: writeClose(what), said: `Close ${what.kind} "${what.name}"` };
    }
    default:
      return FLUSH;
  }
}

function parse(choices: Choices, statement: string): Message {
  const text = choices.of(TEXTS);
  return { bytes: writeParse({ statement, text, types: [] }), said: `Parse "${statement}" ${text}` };
}

/** One parameter or none, whatever the statement has; results in text or binary. */
function bind(choices: Choices, portal: string, statement: string): Message {
  const parameters = choices.of([[], ['4'], [], ['{5,6}']]);
  const format = choices.pick(2);
  const writer = new ByteWriter(64).message('B'.charCodeAt(0), (body) => {
    body.cstring(portal).cstring(statement).int16(0).int16(parameters.length);
    for (const value of parameters) {
      body.int32(value.length);
      for (const byte of Buffer.from(value)) body.byte(byte);
    }
    body.int16(1).int16(format);
  });
  return {
    bytes: writer.take(),
    said: `Bind "${portal}" "${statement}" (${parameters.join()}) ${format === 1 ? 'binary' : 'text'}`,
  };
}

function describe(choices: Choices): Message {
  const what = { kind: choices.of(['portal', 'statement'] as const), name: choices.of(NAMES) };
  return { bytes: writeDescribe(what), said: `Describe ${what.kind} "${what.name}"` };
}

function execute(choices: Choices, portal: string): Message {
  const rows = choices.of([0, 1, 3]);
  return { bytes: writeExecute({ portal, rows }), said: `Execute "${portal}" ${rows}` };
}
