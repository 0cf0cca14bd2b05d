import type { AuditEvent } from '../../core/evidence.ts';
import { Bounded } from './bounded.ts';
import { mostFirst, Span, texts } from './fields.ts';
import type { ReportedColumn } from './report.ts';

const MOST = 1000;

interface Column {
  readonly column: string;
  readonly label: string;
  readonly span: Span;
  readonly uses: Record<string, number>;
  masked: number;
}

/** Which labelled columns operations that ran have used, and how. */
export class Labelled {
  readonly #columns = new Bounded<Column>(MOST);

  add(event: AuditEvent): void {
    const masked = texts(event['masked']);
    const counted = new Set<Column>();
    for (const word of texts(event['labelled'])) {
      // Only the column in the middle may have spaces in it.
      const [, use, column, label] = /^(\S+) (.+) (\S+)$/s.exec(word) ?? [];
      if (use === undefined || column === undefined || label === undefined) continue;
      const make = (): Column => ({ column, label, span: new Span(), uses: {}, masked: 0 });
      const known = this.#columns.at(JSON.stringify([column, label]), make);
      if (known === undefined) continue;
      known.uses[use] = (known.uses[use] ?? 0) + 1;
      if (counted.has(known)) continue;
      counted.add(known);
      known.span.add(event.at);
      if (masked.some((each) => each.startsWith(`${column} `))) known.masked += 1;
    }
  }

  get columns(): readonly ReportedColumn[] {
    const all = this.#columns.values.map(({ span, ...column }) => ({ ...column, ...span.told }));
    return mostFirst(all).map(({ operations: _operations, ...column }) => column);
  }

  get leftOut(): number {
    return this.#columns.leftOut;
  }
}
