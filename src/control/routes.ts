import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Origin } from '../core/login.ts';
import type { Caller } from './caller.ts';
import type { ControlPorts } from './ports.ts';

/** What a route module gets. */
export interface Routes {
  readonly app: FastifyInstance;
  readonly ports: ControlPorts;
  /** Who is asking; throws 401. */
  readonly caller: (request: FastifyRequest) => Promise<Caller>;
  readonly origin: (request: FastifyRequest) => Origin;
}
