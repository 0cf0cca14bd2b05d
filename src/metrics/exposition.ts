import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';

/*
 * Metrics in the words of Prometheus: what rooms count of themselves (core/measures.ts) and a few things that are looked
 * up when somebody asks. This room counts nothing itself, keeps nothing between two scrapes but the process's own
 * metrics, and knows no principal, session or statement: a label is a target's name or a word of ours.
 */

export type Labels = Readonly<Record<string, string>>;

/** One metric, as it stands when somebody asks. Names and labels are docs/reference/metrics.md's. */
export type Family = {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
} & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly samples: readonly Buckets[] }
);

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface Buckets {
  readonly labels: Labels;
  /** Seconds, ascending; one fewer than counts. */
  readonly bounds: readonly number[];
  /** Of each bucket by itself. */
  readonly counts: ArrayLike<number>;
  /** Seconds. */
  readonly sum: number;
}

export const PREFIX = 'sallyport_';

/** Renders the text that Prometheus reads (version 0.0.4), with the process's own metrics. */
export class Exposition {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #families: () => Promise<readonly Family[]>;

  constructor(families: () => Promise<readonly Family[]>) {
    this.#families = families;
    this.contentType = this.#registry.contentType;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Rejects when a source does. */
  async text(): Promise<string> {
    const families = await this.#families();
    const asked = new Registry();
    // The package makes histograms of single observations only; all it asks of a metric is to say what it holds.
    for (const family of families) asked.registerMetric(answering(family) as unknown as Metric);
    return `${await asked.metrics()}${await this.#registry.metrics()}`;
  }
}

function answering(family: Family): object {
  const name = PREFIX + family.name;
  const values =
    family.type === 'histogram'
      ? family.samples.flatMap((one) => cumulative(name, one))
      : family.samples.map(({ labels, value }) => ({ labels, value }));
  const { type, help } = family;
  return { name, get: async () => ({ name, type, help, values, aggregator: 'sum' }) };
}

function cumulative(name: string, { labels, bounds, counts, sum }: Buckets): object[] {
  let count = 0;
  const buckets = Array.from(counts, (each, n) => {
    count += each;
    const le = n < bounds.length ? (bounds[n] ?? 0) : '+Inf';
    return { labels: { ...labels, le }, value: count, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ];
}
