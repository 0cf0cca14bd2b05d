import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../config/config.ts';
import { Fault } from '../core/fault.ts';
import type { Health } from './ports.ts';

/** Says whether the process lives and whether it takes traffic, and gives metrics: nothing about anybody. */
export async function startHealth(
  address: Address,
  health: () => Promise<Health>,
  metrics: { readonly contentType: string; text(): Promise<string> },
): Promise<{ readonly address: Address; close(): Promise<void> }> {
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, maxHeaderSize: 8192 },
    (request, response) => {
      const answer = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        response.end(`${JSON.stringify(body)}\n`);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, { status: 'method not allowed' });
      if (request.url === '/healthz') return answer(200, { status: 'ok' });
      if (request.url === '/metrics') {
        metrics.text().then(
          (text) =>
            response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text),
          () => answer(500, { status: 'metrics cannot be read' }),
        );
        return;
      }
      if (request.url !== '/readyz') return answer(404, { status: 'not found' });
      health().then(
        ({ ready, checks, bypass }) =>
          answer(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks, bypass }),
        () => answer(503, { status: 'not ready', checks: [] }),
      );
    },
  );
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Fault('CONFLICT', `${address.host}:${address.port} cannot be listened on`, { cause: error })),
    );
    server.listen({ host: address.host, port: address.port }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: { host: address.host, port }, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
