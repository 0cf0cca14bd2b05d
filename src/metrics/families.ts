import type { Durations, Measures, TargetMeasures } from '../core/measures.ts';
import type { Buckets, Family, Labels, Sample } from './exposition.ts';

/** What is looked up when somebody asks, of this worker. */
export interface Standing {
  readonly version: string;
  readonly ready: boolean;
  readonly sessions: number;
  readonly connections: number;
  /** Statements that wait for people. */
  readonly held: number;
  /** Upstream connections by target. */
  readonly upstream: ReadonlyMap<string, { readonly used: number; readonly waiting: number }>;
  readonly reader: { readonly waiting: number; readonly started: number };
  readonly evidence: { readonly backlog: number; readonly sequence: number; readonly stalled: boolean };
  /** Milliseconds since revocations were last known to be heard. */
  readonly feedAge: number;
  readonly revocations: number;
}

/** All metrics but the process's own. */
export function familiesOf(measures: Measures, now: Standing): readonly Family[] {
  const each = [...measures.targets].map(([target, of]) => ({ labels: { target }, of }));
  const counted = (name: string, help: string, value: (of: TargetMeasures) => number): Family => ({
    name,
    help,
    type: 'counter',
    samples: each.map(({ labels, of }) => ({ labels, value: value(of) })),
  });
  const timed = (name: string, help: string, durations: (of: TargetMeasures) => Durations): Family => ({
    name,
    help,
    type: 'histogram',
    samples: each.map(({ labels, of }) => bucketsOf(durations(of), labels)),
  });
  const upstream = [...now.upstream];
  return [
    {
      name: 'operations_total',
      help: 'Operations decided, by target and decision; denials with their reason.',
      type: 'counter',
      samples: each.flatMap(({ labels, of }) => decisionsOf(labels, of)),
    },
    counted('rows_total', 'Rows told to clients.', (of) => of.rows),
    counted('result_bytes_total', 'Bytes of results told to clients.', (of) => of.bytes),
    timed(
      'gate_seconds',
      'From an operation to its clearance or denial, without those people were asked about.',
      (of) => of.gate,
    ),
    timed('parse_seconds', 'Reading a statement that was not seen before.', (of) => of.parse),
    timed('decide_seconds', 'Deciding what was not decided before.', (of) => of.decide),
    timed('mask_seconds', 'Masking, scanning and recording what one read from the target brought.', (of) => of.mask),
    timed('hold_wait_seconds', 'From a hold to its answer, or to the end of patience.', (of) => of.wait),
    {
      name: 'logins_total',
      help: 'Connections by how their login ended.',
      type: 'counter',
      samples: Object.entries(measures.logins).map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    one(
      'counter',
      'connections_turned_away_total',
      'Connections closed since there were too many.',
      measures.turnedAway,
    ),
    one('gauge', 'connections', 'Client connections.', now.connections),
    one('gauge', 'sessions', 'Live sessions.', now.sessions),
    one('gauge', 'held', 'Statements that wait for people.', now.held),
    {
      name: 'upstream_connections',
      help: 'Connections to the target in use.',
      type: 'gauge',
      samples: upstream.map(([target, { used }]) => ({ labels: { target }, value: used })),
    },
    {
      name: 'upstream_waiting',
      help: 'Sessions that wait for a connection to the target.',
      type: 'gauge',
      samples: upstream.map(([target, { waiting }]) => ({ labels: { target }, value: waiting })),
    },
    one('gauge', 'reader_waiting', 'Statements that wait to be read.', now.reader.waiting),
    one(
      'counter',
      'reader_starts_total',
      'Reading processes started; more than one means that statements cost some their lives.',
      now.reader.started,
    ),
    {
      name: 'evidence_write_seconds',
      help: 'One write of evidence, as far as operations wait for it.',
      type: 'histogram',
      samples: [bucketsOf(measures.write, {})],
    },
    one('gauge', 'evidence_backlog_bytes', 'Evidence that waits to be written.', now.evidence.backlog),
    one(
      'counter',
      'evidence_records_total',
      'Records in the chain of this writer: the sequence of its head.',
      now.evidence.sequence,
    ),
    one(
      'gauge',
      'evidence_stalled',
      '1 while a write of evidence has been outstanding for two seconds.',
      Number(now.evidence.stalled),
    ),
    one(
      'gauge',
      'feed_age_seconds',
      'Since revocations were last known to be heard; over 2 nothing is cleared.',
      now.feedAge / 1000,
    ),
    one('counter', 'revocations_total', 'Revocations heard since the start.', now.revocations),
    {
      name: 'revocation_end_seconds',
      help: 'From a revocation being felt to the end of a session it struck.',
      type: 'histogram',
      samples: [bucketsOf(measures.ending, {})],
    },
    {
      name: 'config_reloads_total',
      help: 'Changed configurations by what became of them.',
      type: 'counter',
      samples: Object.entries(measures.reloads).map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    one('gauge', 'ready', '1 while /readyz says so.', Number(now.ready)),
    { name: 'build_info', help: 'Always 1.', type: 'gauge', samples: [{ labels: { version: now.version }, value: 1 }] },
  ];
}

function one(type: 'counter' | 'gauge', name: string, help: string, value: number): Family {
  return { name, help, type, samples: [{ labels: {}, value }] };
}

function decisionsOf(labels: Labels, of: TargetMeasures): Sample[] {
  return [
    { labels: { ...labels, decision: 'permit', reason: '' }, value: of.permitted },
    { labels: { ...labels, decision: 'hold', reason: '' }, value: of.held },
    ...[...of.denied].map(([reason, value]) => ({ labels: { ...labels, decision: 'deny', reason }, value })),
  ];
}

function bucketsOf({ bounds, counts, sum }: Durations, labels: Labels): Buckets {
  return { labels, bounds: bounds.map((bound) => bound / 1000), counts, sum: sum / 1000 };
}
