import { createHash, type X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { asFault, Fault } from '../../core/fault.ts';
import type { Credential, Target } from '../../core/target.ts';
import { readAuthentication } from '../../wire/postgres/authentication.ts';
import { type CancelKey, readBackendKeyData, readParameterStatus } from '../../wire/postgres/backend.ts';
import { readReport } from '../../wire/postgres/error-response.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { writePassword, writeSaslInitial, writeSaslResponse } from '../../wire/postgres/sasl.ts';
import { writeCancelRequest, writeSslRequest, writeStartup } from '../../wire/postgres/startup.ts';
import { Backend, backendLimit } from '../../wire/postgres/types.ts';
import { Inlet } from './inlet.ts';
import { ScramClient } from './scram-client.ts';

/** A logged-in connection to a target, idle. */
export interface Upstream {
  readonly socket: Socket;
  readonly inlet: Inlet;
  /** What the server reported at login. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly key: CancelKey | undefined;
}

const DIAL_TIMEOUT = 10_000;

/**
 * Connects and logs in with the target's credential. Throws Fault TARGET_UNREACHABLE, TARGET_CREDENTIAL or
 * TARGET_PROTOCOL; what the server said of the credential goes into the cause, never to the client.
 */
export async function dial(
  target: Target,
  credential: Credential,
  startup: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Upstream> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT)]);
  let line: Line | undefined;
  try {
    line = await connect(target, limit);
    return await logIn(line, credential, startup, limit);
  } catch (thrown) {
    line?.socket.destroy();
    if (thrown instanceof Fault) throw thrown;
    throw new Fault('TARGET_UNREACHABLE', `target ${target.name} cannot be reached`, { cause: thrown });
  }
}

/** Asks the server to stop what the connection with this key runs. Never throws: a cancel has no answer. */
export async function cancelUpstream(target: Target, key: CancelKey): Promise<void> {
  try {
    const { socket } = await connect(target, AbortSignal.timeout(DIAL_TIMEOUT));
    socket.on('error', () => {});
    socket.resume();
    socket.end(writeCancelRequest(key.process, key.secret));
    // The server closes once it has signalled; waiting keeps a later statement from being hit instead.
    if (!socket.destroyed) await once(socket, 'close');
  } catch {
    // The statement runs on; the client sees that by itself.
  }
}

interface Line {
  readonly socket: Socket;
  readonly inlet: Inlet;
}

async function connect(target: Target, signal: AbortSignal): Promise<Line> {
  const { address, tls } = target;
  const inlet = new Inlet();
  const plain = tls.mode === 'disable';
  const socket = connectTcp({
    ...address,
    ...('path' in address ? {} : { noDelay: true, keepAlive: true }),
    ...(plain ? { onread: inlet.onread } : {}),
  });
  try {
    await once(socket, 'connect', { signal });
    if (plain) return { socket, inlet };
    socket.write(writeSslRequest());
    const [answer]: Uint8Array[] = await once(socket, 'data', { signal });
    // Exactly one byte: anything behind it was not sent by the TLS peer (CVE-2021-23222).
    if (answer?.length !== 1 || answer[0] !== 0x53)
      throw new Fault('TARGET_UNREACHABLE', `target ${target.name} does not offer TLS`);
    const host = 'host' in address ? address.host : 'localhost';
    const secure = connectTls({
      socket,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(isIP(host) ? {} : { servername: host }),
      ALPNProtocols: ['postgresql'],
      rejectUnauthorized: tls.mode !== 'require',
      ...(tls.mode === 'verify-full' ? { host } : { checkServerIdentity: () => undefined }),
    });
    await once(secure, 'secureConnect', { signal });
    inlet.follow(secure);
    return { socket: secure, inlet };
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

/** tls-server-end-point data of the server's certificate; undefined where it cannot be had, so that -PLUS is not tried. */
function endpointOf(socket: Socket): Uint8Array | undefined {
  if (!('getPeerX509Certificate' in socket)) return undefined;
  const certificate: X509Certificate | undefined = (socket as TLSSocket).getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const algorithm = certificate.signatureAlgorithm ?? '';
  // RFC 5929 §4.1: the signature's hash, SHA-256 in place of MD5 and SHA-1. Ed25519 has none.
  const hash = /sha-?512/i.test(algorithm)
    ? 'sha512'
    : /sha-?384/i.test(algorithm)
      ? 'sha384'
      : /sha-?(256|1)/i.test(algorithm)
        ? 'sha256'
        : undefined;
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest();
}

async function logIn(
  { socket, inlet }: Line,
  credential: Credential,
  startup: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Upstream> {
  const parameters = new Map<string, string>();
  let key: CancelKey | undefined;
  let scram: ScramClient | undefined;
  let proved = false;
  const password = (): string => {
    if (credential.password === undefined)
      throw new Fault('TARGET_CREDENTIAL', 'the target asks for a password and none is configured');
    return credential.password;
  };

  socket.write(writeStartup(new Map([['user', credential.user], ...startup])));
  const framer = new Framer(backendLimit);
  for await (const chunk of inlet.chunks(socket, signal)) {
    framer.push(chunk);
    for (let found = framer.next(); found !== 'none'; found = framer.next()) {
      if (found !== 'frame') throw new Fault('TARGET_PROTOCOL', 'an oversized message during login');
      const { bytes, type, end } = framer;
      const start = framer.start + 5;
      switch (type) {
        case Backend.authentication: {
          const asked = readAuthentication(bytes, start, end);
          switch (asked.kind) {
            case 'ok':
              if (scram && !proved) throw new Fault('TARGET_CREDENTIAL', 'the target skipped its half of SCRAM');
              break;
            case 'cleartext':
              if (!('encrypted' in socket) && !isLocal(socket)) {
                throw new Fault(
                  'TARGET_CREDENTIAL',
                  'the target wants the password in clear on a connection without TLS',
                );
              }
              socket.write(writePassword(password()));
              break;
            case 'md5':
              socket.write(writePassword(md5Answer(credential.user, password(), asked.salt)));
              break;
            case 'sasl':
              scram = new ScramClient(password(), asked.mechanisms, endpointOf(socket));
              socket.write(writeSaslInitial(scram.mechanism, scram.first()));
              break;
            case 'sasl-continue':
              if (!scram) throw new Fault('TARGET_PROTOCOL', 'a SCRAM message out of turn');
              socket.write(writeSaslResponse(await scram.answer(asked.data)));
              break;
            case 'sasl-final':
              if (!scram) throw new Fault('TARGET_PROTOCOL', 'a SCRAM message out of turn');
              scram.verify(asked.data);
              proved = true;
              break;
          }
          break;
        }
        case Backend.parameterStatus: {
          const { name, value } = readParameterStatus(bytes, start, end);
          parameters.set(name, value);
          break;
        }
        case Backend.backendKeyData:
          key = readBackendKeyData(bytes, start, end);
          break;
        case Backend.errorResponse:
          throw loginFault(readReport(bytes, start, end));
        case Backend.noticeResponse:
        case Backend.negotiateProtocolVersion:
          break;
        case Backend.readyForQuery:
          if (framer.pending > 0) throw new Fault('TARGET_PROTOCOL', 'bytes behind the end of the login');
          return { socket, inlet, parameters, key };
        default:
          throw new Fault('TARGET_PROTOCOL', `message 0x${type.toString(16)} during login`);
      }
    }
  }
  throw new Fault('TARGET_UNREACHABLE', 'the target closed the connection during login');
}

function isLocal(socket: Socket): boolean {
  return socket.remoteAddress === undefined || /^(::1$|127\.|::ffff:127\.)/.test(socket.remoteAddress);
}

/** MD5 over what PostgreSQL stores, then over that and the salt (AuthenticationMD5Password in its manual). */
function md5Answer(user: string, password: string, salt: Uint8Array): string {
  const inner = createHash('md5')
    .update(password + user)
    .digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

function loginFault(report: ReadonlyMap<string, string>): Fault {
  const code = report.get('C') ?? '';
  const cause = new Error(`${code} ${report.get('M') ?? ''}`);
  if (code.startsWith('28'))
    return new Fault('TARGET_CREDENTIAL', 'the target refused the credential the gateway holds', { cause });
  if (code === '3D000') return new Fault('TARGET_UNKNOWN', 'the target has no such database', { cause });
  if (code === '53300') return new Fault('TARGET_BUSY', 'the target has no connection left', { cause });
  if (code.startsWith('22'))
    return new Fault('PROTOCOL_UNSUPPORTED', 'the target refused a setting of the startup message', { cause });
  return asFault(cause, 'TARGET_UNREACHABLE');
}
