import { cpuRatioOf, differenceOf, ratioOf } from './compare.ts';
import type { PartResult } from './parts/part.ts';
import type { CaseResult } from './rounds.ts';
import { median } from './stats.ts';
import type { Kind } from './targets/target.ts';

/** A measure with what it must reach first and what it is to reach. Ratios and CPU, never times of one machine. */
export interface Goal {
  readonly measure: string;
  readonly better: 'more' | 'less';
  readonly first: number;
  readonly goal: number;
  readonly unit: string;
}

export interface Verdict extends Goal {
  readonly tls: boolean;
  readonly value: number;
  readonly reached: 'goal' | 'first' | 'neither';
}

/** Undefined when the cases it needs were not run. */
type Find = (results: Results, tls: boolean) => number | undefined;

class Results {
  readonly #cases: ReadonlyMap<string, CaseResult>;
  readonly #parts: ReadonlyMap<string, PartResult>;

  constructor(cases: readonly CaseResult[], parts: readonly PartResult[]) {
    this.#cases = new Map(cases.map((one) => [one.name, one]));
    this.#parts = new Map(parts.map((one) => [one.name, one]));
  }

  /** The worst of a part's readings, each by the median of its rounds; or the one of that name. */
  worst(name: string, tls: boolean, only?: string): number | undefined {
    const part = this.#parts.get(name);
    if (part === undefined || tls) return undefined;
    const worst = part.better === 'more' ? Math.min : Math.max;
    const readings = part.readings.filter(({ of }) => only === undefined || of === only);
    return worst(...readings.map(({ values }) => median(values)));
  }

  /** The worst of all values there are. */
  slowest(name: string, tls: boolean): number | undefined {
    const part = this.#parts.get(name);
    if (part === undefined || tls) return undefined;
    return Math.max(...part.readings.flatMap(({ values }) => values));
  }

  /** The median over the rounds of how `kind` stands to `by` in a case. */
  of(name: string, tls: boolean, kind: Kind, by: Kind, how: typeof ratioOf): number | undefined {
    const found = this.#cases.get(name)?.series.filter((one) => one.tls === tls) ?? [];
    const [mine, theirs] = [kind, by].map((wanted) => found.find((one) => one.kind === wanted));
    if (mine === undefined || theirs === undefined) return undefined;
    const value = median(how(mine, theirs));
    return Number.isFinite(value) ? value : undefined;
  }
}

const ratio =
  (name: string, kind: Kind, by: Kind): Find =>
  (results, tls) =>
    results.of(name, tls, kind, by, ratioOf);

const cpu =
  (name: string): Find =>
  (results, tls) =>
    results.of(name, tls, 'sallyport', 'pgbouncer', cpuRatioOf);

const added =
  (name: string): Find =>
  (results, tls) =>
    results.of(name, tls, 'sallyport', 'direct', differenceOf);

const deciding: Find = (results, tls) => {
  const [unseen, seen] = [added('decision-unseen')(results, tls), added('decision-seen')(results, tls)];
  return unseen === undefined || seen === undefined ? undefined : unseen - seen;
};

const worst =
  (name: string, only?: string): Find =>
  (results, tls) =>
    results.worst(name, tls, only);

const slowest =
  (name: string): Find =>
  (results, tls) =>
    results.slowest(name, tls);

const least = (measure: string, first: number, goal: number, find: Find, unit = ''): readonly [Goal, Find] => [
  { measure, better: 'more', first, goal, unit },
  find,
];
const most = (unit: string, measure: string, first: number, goal: number, find: Find): readonly [Goal, Find] => [
  { measure, better: 'less', first, goal, unit },
  find,
];

const GOALS: readonly (readonly [Goal, Find])[] = [
  least('simple, 8 clients, vs pgbouncer', 0.7, 0.85, ratio('lookup-simple-8', 'sallyport', 'pgbouncer')),
  least('the same with one text, vs pgbouncer', 0.7, 0.85, ratio('lookup-same-text-8', 'sallyport', 'pgbouncer')),
  least('prepared, 8 clients, vs pgbouncer', 0.85, 0.95, ratio('lookup-prepared-8', 'sallyport', 'pgbouncer')),
  most('×', 'CPU per look-up (simple), vs pgbouncer', 1.7, 1.3, cpu('lookup-simple-8')),
  most('×', 'CPU per look-up (prepared), vs pgbouncer', 1.7, 1.3, cpu('lookup-prepared-8')),
  most('µs', 'added p50, one core', 16, 12, added('latency-prepared')),
  least('large result, masked, vs pgbouncer', 0.95, 1, ratio('rows-large', 'sallyport-labels', 'pgbouncer')),
  least('the same with detectors, vs pgbouncer', 0.7, 1, ratio('rows-large', 'sallyport', 'pgbouncer')),
  ...([1, 8] as const).flatMap((clients) => [
    least(
      `1,000 rows masked, ${clients} at once, vs direct`,
      1 / 1.3,
      1 / 1.3,
      ratio(`rows-1000-${clients}`, 'sallyport-labels', 'direct'),
    ),
    least(
      `the same with detectors, ${clients} at once, vs direct`,
      1 / 1.6,
      1 / 1.6,
      ratio(`rows-1000-${clients}`, 'sallyport', 'direct'),
    ),
  ]),
  most('µs', 'look-up of a decision made before', 1, 0.2, worst('decision-look-up')),
  most('µs', 'the whole gate with its records, 8 at once', 20, 8, worst('gate', 'eight sessions at once')),
  most('µs', 'the whole gate with its records, 1 at once', 20, 8, worst('gate', 'one session')),
  most('µs', 'reading and deciding a statement never seen', 1000, 300, deciding),
  most(
    'ms',
    'hold released, same node',
    100,
    100,
    worst('holds', 'released on the node that was asked, slowest of 20'),
  ),
  most('ms', 'hold released, other node', 1000, 1000, worst('holds', 'released on the other node, slowest of 20')),
  most('ms', 'revoke to last byte, the slowest run of all', 1000, 1000, slowest('revocation')),
  least('card, ssn and email, worst data set', 400, 600, worst('detect-usual'), 'MB/s'),
];

/** Every goal whose cases were run, plain and with TLS. */
export function judge(cases: readonly CaseResult[], parts: readonly PartResult[]): readonly Verdict[] {
  const results = new Results(cases, parts);
  return GOALS.flatMap(([goal, find]) =>
    [false, true].flatMap((tls): Verdict[] => {
      const value = find(results, tls);
      if (value === undefined) return [];
      const meets = (limit: number) => (goal.better === 'more' ? value >= limit : value <= limit);
      return [{ ...goal, tls, value, reached: meets(goal.goal) ? 'goal' : meets(goal.first) ? 'first' : 'neither' }];
    }),
  );
}
