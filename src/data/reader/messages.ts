import type { CatalogSnapshot } from '../../core/catalog.ts';
import type { SqlFacts, SqlScope } from '../../core/facts.ts';
import type { FaultCode } from '../../core/fault.ts';
import type { ViewDefinition, ViewLineage } from '../../sql/postgres/lineage.ts';

/** To the reading process, in order. */
export type Request =
  | { readonly kind: 'catalog'; readonly snapshot: CatalogSnapshot }
  | { readonly kind: 'forget'; readonly epoch: number }
  | {
      readonly kind: 'read';
      readonly id: number;
      readonly text: string;
      readonly scope: SqlScope;
      readonly epoch: number;
    }
  | {
      readonly kind: 'trace';
      readonly id: number;
      readonly definitions: readonly ViewDefinition[];
      readonly epoch: number;
    };

/** From it, one for each catalog, each read and each trace, in order. `broken`: the process must not be used again. */
export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'indexed'; readonly epoch: number }
  | { readonly kind: 'facts'; readonly id: number; readonly facts: SqlFacts }
  | { readonly kind: 'lineage'; readonly id: number; readonly views: readonly ViewLineage[] }
  | { readonly kind: 'fault'; readonly id: number; readonly code: FaultCode; readonly message: string }
  | { readonly kind: 'broken'; readonly id: number; readonly message: string };
