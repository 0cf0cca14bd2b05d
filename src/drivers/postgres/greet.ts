import type { Denial } from '../../core/decision.ts';
import { Fault } from '../../core/fault.ts';
import type { Authenticator, Login } from '../../core/login.ts';
import type { Greeting } from '../../core/session.ts';
import { writeAuthentication } from '../../wire/postgres/authentication.ts';
import { type CancelKey, writeNegotiateProtocolVersion } from '../../wire/postgres/backend.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { readPassword, readSaslInitial } from '../../wire/postgres/sasl.ts';
import { readStartup, type Startup } from '../../wire/postgres/startup.ts';
import { decodeUtf8 } from '../../wire/postgres/text.ts';
import { loginLimit } from '../../wire/postgres/types.ts';
import type { Pipe, ServerTls } from '../pipe.ts';

/** What a PostgreSQL client said at the door. */
export interface PostgresGreeting extends Greeting {
  /** Minor version of protocol 3 that is spoken: 0 or 2. */
  readonly minor: 0 | 2;
  /** Startup parameters that are settings, as the client spelled them. */
  readonly settings: ReadonlyMap<string, string>;
}

type StartupMessage = Extract<Startup, { kind: 'startup' }>;

const TLS_HANDSHAKE = 0x16; // the first byte of a TLS record that holds a ClientHello
const ALPN = 'postgresql'; // IANA's name; libpq insists on it for direct TLS
const GRANT_USER = /^g\.([0-9A-Za-z]{22})$/;
const NEWEST_MINOR = 2;

/** From the first byte to a proved login. */
export async function greet(
  client: Pipe,
  deps: { readonly tls: () => ServerTls; readonly cancel: (key: CancelKey) => void; readonly auth: Authenticator },
  signal: AbortSignal,
): Promise<PostgresGreeting | Denial | undefined> {
  const startup = await openDoor(client, deps.tls, signal);
  if (startup === undefined) return undefined;
  if (startup.kind === 'cancel') {
    deps.cancel({ process: startup.process, secret: startup.secret });
    return undefined;
  }
  const minor = negotiate(client, startup);
  const wanted = readWanted(startup.parameters);
  const login = await proveLogin(client, wanted.user, deps.auth, signal);
  if ('effect' in login) return login;
  client.write(writeAuthentication({ kind: 'ok' }));
  return {
    login,
    origin: client.origin,
    target: wanted.target,
    database: wanted.database,
    role: GRANT_USER.test(wanted.user) ? undefined : wanted.user,
    client: startup.parameters.get('application_name'),
    minor,
    settings: wanted.settings,
  };
}

/** Answers encryption requests until the startup or cancel message comes. */
async function openDoor(
  client: Pipe,
  tls: () => ServerTls,
  signal: AbortSignal,
): Promise<StartupMessage | Extract<Startup, { kind: 'cancel' }> | undefined> {
  let buffered: Uint8Array = new Uint8Array(0);
  let asked = { ssl: false, gssenc: false };
  for (;;) {
    const chunk = await client.read(signal);
    if (chunk === undefined) return undefined;
    if (buffered.length === 0 && chunk[0] === TLS_HANDSHAKE && !client.origin.confidential) {
      client.unread(chunk);
      const { negotiated } = await client.secure(tls(), ALPN, signal);
      if (negotiated !== ALPN) throw new Fault('PROTOCOL_UNEXPECTED', `direct TLS needs the ALPN protocol "${ALPN}"`);
      asked = { ssl: true, gssenc: true };
      continue;
    }
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    const found = readStartup(buffered);
    if (found === undefined) continue;
    const rest = buffered.subarray(found.consumed);
    buffered = new Uint8Array(0);
    switch (found.message.kind) {
      case 'gssenc':
        if (asked.gssenc || rest.length > 0)
          throw new Fault('PROTOCOL_UNEXPECTED', 'a second request for GSS encryption, or bytes behind it');
        asked.gssenc = true;
        client.write(Buffer.from('N'));
        break;
      case 'ssl':
        if (asked.ssl) throw new Fault('PROTOCOL_UNEXPECTED', 'a second request for TLS');
        // Bytes sent before the handshake are not protected by it (CVE-2021-23214).
        if (rest.length > 0) throw new Fault('PROTOCOL_UNEXPECTED', 'unencrypted bytes after the request for TLS');
        asked.ssl = true;
        client.write(Buffer.from('S'));
        await client.secure(tls(), ALPN, signal);
        break;
      case 'cancel':
        return found.message;
      case 'startup':
        client.unread(rest);
        return found.message;
    }
  }
}

/** The minor version to speak; tells the client when it is not what it asked for. */
function negotiate(client: Pipe, startup: StartupMessage): 0 | 2 {
  const unknown = [...startup.parameters.keys()].filter((name) => name.startsWith('_pq_.'));
  // 3.1 was never released; PostgreSQL takes a request for it as one for 3.0.
  const minor = startup.minor >= NEWEST_MINOR ? NEWEST_MINOR : 0;
  if (startup.minor > NEWEST_MINOR || unknown.length > 0) client.write(writeNegotiateProtocolVersion(minor, unknown));
  return minor;
}

interface Wanted {
  readonly user: string;
  readonly target: string;
  readonly database: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
}

const NOT_SETTINGS = new Set(['user', 'database', 'replication', 'options', 'application_name']);

function readWanted(parameters: ReadonlyMap<string, string>): Wanted {
  const user = parameters.get('user');
  if (user === undefined || user === '') throw new Fault('PROTOCOL_MALFORMED', 'no user name in the startup message');
  const replication = parameters.get('replication');
  if (replication !== undefined && !['false', 'off', 'no', '0'].includes(replication.toLowerCase())) {
    throw new Fault(
      'PROTOCOL_UNSUPPORTED',
      'replication connections are not supported: the gateway could not read what they carry',
    );
  }
  // libpq sends the user's name where no database was given.
  const database = parameters.get('database') ?? user;
  const dot = database.indexOf('.');
  const settings = new Map([...parameters].filter(([name]) => !NOT_SETTINGS.has(name) && !name.startsWith('_pq_.')));
  for (const [name, value] of readOptions(parameters.get('options') ?? '')) settings.set(name, value);
  return {
    user,
    target: dot < 0 ? database : database.slice(0, dot),
    database: dot < 0 ? undefined : database.slice(dot + 1),
    settings,
  };
}

/** `-c name=value` and `--name=value` of the `options` parameter; a backslash escapes the character after it. */
export function readOptions(options: string): [string, string][] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < options.length; i++) {
    const char = options.charAt(i);
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (char === '\\' ? options.charAt(++i) : char);
    }
  }
  if (word !== undefined) words.push(word);

  const settings: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    const at = words[i] ?? '';
    const assignment =
      at === '-c' ? words[++i] : at.startsWith('-c') ? at.slice(2) : at.startsWith('--') ? at.slice(2) : undefined;
    const equals = assignment?.indexOf('=') ?? -1;
    if (assignment === undefined || equals <= 0)
      throw new Fault('PROTOCOL_UNSUPPORTED', 'the startup options may only be -c name=value');
    settings.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)]);
  }
  return settings;
}

async function proveLogin(
  client: Pipe,
  user: string,
  auth: Authenticator,
  signal: AbortSignal,
): Promise<Login | Denial> {
  const answers = passwordMessages(client, signal);
  const grant = GRANT_USER.exec(user)?.[1];
  if (grant === undefined) {
    if (!client.origin.confidential) {
      throw new Fault(
        'LOGIN_FAILED',
        'a pass or token may only travel on TLS: use sslmode=require or stronger, or log in as g.<grant id> with SCRAM',
      );
    }
    client.write(writeAuthentication({ kind: 'cleartext' }));
    const { bytes, start, end } = await answers();
    return await auth.bearer(readPassword(bytes, start, end), client.origin);
  }

  const { endpoint } = client;
  const exchange = auth.scram(grant, client.origin, endpoint);
  client.write(
    writeAuthentication({ kind: 'sasl', mechanisms: [...(endpoint ? ['SCRAM-SHA-256-PLUS'] : []), 'SCRAM-SHA-256'] }),
  );
  const first = await answers();
  const initial = readSaslInitial(first.bytes, first.start, first.end);
  const data = await exchange.first(initial.mechanism, decodeUtf8(initial.data ?? new Uint8Array(0)));
  client.write(writeAuthentication({ kind: 'sasl-continue', data }));
  const last = await answers();
  const outcome = await exchange.final(decodeUtf8(last.bytes.subarray(last.start, last.end)));
  if ('effect' in outcome) return outcome;
  client.write(writeAuthentication({ kind: 'sasl-final', data: outcome.serverFinal }));
  return outcome.login;
}

/** Reads one password message a call; whatever follows it stays unread. */
function passwordMessages(
  client: Pipe,
  signal: AbortSignal,
): () => Promise<{ bytes: Uint8Array; start: number; end: number }> {
  return async () => {
    const framer = new Framer(loginLimit);
    for (;;) {
      const chunk = await client.read(signal);
      if (chunk === undefined) throw new Fault('ABORTED', 'the client left during login');
      framer.push(chunk);
      const found = framer.next();
      if (found === 'large') throw new Fault('PROTOCOL_LIMIT', 'password message too long');
      if (found !== 'frame') continue;
      const { bytes, start, end } = framer;
      client.unread(framer.rest());
      return { bytes, start: start + 5, end };
    }
  };
}
