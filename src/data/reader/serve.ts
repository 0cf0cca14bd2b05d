import { hash } from 'node:crypto';
import { Fault } from '../../core/fault.ts';
import { CatalogIndex } from '../../sql/postgres/catalog-index.ts';
import { readLineage } from '../../sql/postgres/lineage.ts';
import { loadParser } from '../../sql/postgres/parser.ts';
import { readSql } from '../../sql/postgres/read.ts';
import type { Reply, Request } from './messages.ts';

const indexes = new Map<number, CatalogIndex>();

/**
 * What the process that reads SQL does, for as long as the gateway lives. What it throws besides Faults means that the
 * parser may be damaged: it says so and is done. `before` sees each request first; tests take time there.
 */
export async function serve(before: (request: Request) => void = () => {}): Promise<void> {
  if (process.send === undefined) throw new Error('the reading process is started by a gateway');
  const reply = (message: Reply): void => void process.send?.(message);
  process.once('disconnect', () => process.exit());
  // Meant for the gateway, which says goodbye to its sessions first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  await loadParser();
  process.on('message', (requests) => {
    for (const request of requests as readonly Request[]) {
      before(request);
      handle(request, reply);
    }
  });
  reply({ kind: 'ready' });
}

function handle(request: Request, reply: (message: Reply) => void): void {
  switch (request.kind) {
    case 'catalog':
      indexes.set(request.snapshot.epoch, new CatalogIndex(request.snapshot));
      reply({ kind: 'indexed', epoch: request.snapshot.epoch });
      return;
    case 'forget':
      indexes.delete(request.epoch);
      return;
    case 'read':
    case 'trace':
      reply(answer(request));
  }
}

type Question = Extract<Request, { kind: 'read' | 'trace' }>;

function answer(request: Question): Reply {
  const { id, epoch } = request;
  try {
    const index = indexes.get(epoch);
    if (index === undefined)
      return { kind: 'fault', id, code: 'CATALOG_UNREADABLE', message: 'the catalog was replaced meanwhile' };
    if (request.kind === 'trace') {
      const views = request.definitions.flatMap((definition) => readLineage(definition, index) ?? []);
      return { kind: 'lineage', id, views };
    }
    return { kind: 'facts', id, facts: readSql(request.text, { scope: request.scope, catalog: index, digest }) };
  } catch (thrown) {
    if (thrown instanceof Fault) return { kind: 'fault', id, code: thrown.code, message: thrown.message };
    return { kind: 'broken', id, message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** 128 bits: a fingerprint may be what a pass is bound to. */
function digest(text: string): string {
  return hash('sha256', text).slice(0, 32);
}
