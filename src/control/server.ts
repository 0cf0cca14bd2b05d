import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type Server as HttpServer, type RequestListener, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Address } from '../config/config.ts';
import { Fault } from '../core/fault.ts';
import { createApp } from './app.ts';
import type { ControlPorts } from './ports.ts';

export interface ControlOptions {
  readonly ports: ControlPorts;
  readonly https: Address;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Path of the local socket; see socket-path.ts. */
  readonly socket: string;
  readonly onFault: (fault: Fault, request: string) => void;
}

export interface Control {
  /** As bound: the port that was given when 0 was asked for. */
  readonly https: Address;
  close(): Promise<void>;
}

/** sockaddr_un.sun_path holds 108 bytes with its NUL on Linux, 104 elsewhere. */
const MAX_SOCKET_PATH = 103;

const LIMITS: ServerOptions = {
  maxHeaderSize: 32 * 1024, // an ID token with many groups travels in a header
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
};
const MAX_CONNECTIONS = 2000;

/** Opens the HTTPS port and the local socket, both on one application. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { ports, https, certificate, key, socket, onFault } = options;
  const local = new WeakSet<Socket>();
  const app = createApp({ ports, onFault, isLocal: (request) => local.has(request.raw.socket) });
  await app.ready();
  const handle: RequestListener = (request, response) => app.routing(request, response);

  const tls = createTlsServer({ ...LIMITS, cert: certificate, key, minVersion: 'TLSv1.2' }, handle);
  const unix = createServer(LIMITS, handle);
  for (const server of [tls, unix]) server.maxConnections = MAX_CONNECTIONS;
  unix.on('connection', (connection) => local.add(connection));

  try {
    await listenLocal(unix, socket);
    await listen(tls, () => tls.listen({ host: https.host, port: https.port }), `${https.host}:${https.port}`);
  } catch (thrown) {
    await closeAll(app, [tls, unix]);
    throw thrown;
  }
  const { port } = tls.address() as AddressInfo;
  return { https: { host: https.host, port }, close: () => closeAll(app, [tls, unix]) };
}

/** Only the owner may connect: the mask makes it so from the moment the socket exists. */
async function listenLocal(server: HttpServer, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new Fault(
      'CONFIG_INVALID',
      `the path of the local socket is too long for the system (${path}); choose a shorter "data" folder`,
    );
  }
  if (await answers(path)) throw new Fault('CONFLICT', `another gateway is listening on ${path}`);
  try {
    unlinkSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
  const mask = process.umask(0o177);
  try {
    const listening = listen(server, () => server.listen(path), path);
    process.umask(mask);
    await listening;
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function listen(server: HttpServer | HttpsServer, start: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'is already in use' : `cannot be listened on (${error.code ?? error.message})`;
      reject(new Fault('CONFLICT', `${where} ${reason}`, { cause: error }));
    });
    server.once('listening', resolve);
    start();
  });
}

async function closeAll(app: FastifyInstance, servers: readonly (HttpServer | HttpsServer)[]): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
  for (const server of servers) server.closeAllConnections();
  await Promise.all(closed);
  await app.close();
}
