import { type Buckets, type Sample, bucketsOf, quantileBetween, sumOf } from './metrics.ts';

/** What one look at /metrics says, and when. */
export interface Look {
  readonly atMs: number;
  /** Operations made durable by the process that answered, since it started. */
  readonly accepted: number | undefined;
  /** Undefined where workers are processes of their own: it stands in their metrics. */
  readonly settled: number | undefined;
  readonly refused: number | undefined;
  /** In the database, of all tenants: not yet settled. */
  readonly open: number | undefined;
  readonly needsAttention: number | undefined;
  readonly writeBuckets: Buckets;
  readonly settleBuckets: Buckets;
}

/** One point of the charts; null: not known, which is a gap in a line and not a zero. */
export interface Point {
  readonly atMs: number;
  readonly accepted: number | null;
  readonly settled: number | null;
  readonly refused: number | null;
  readonly open: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
}

const OPEN_STATUSES: ReadonlySet<string> = new Set([
  'accepted',
  'running',
  'waiting',
  'compensating',
]);

export function lookAt(samples: readonly Sample[], atMs: number): Look {
  const count = (name: string): number | undefined => sumOf(samples, name);
  const byStatus = (isMeant: (status: string) => boolean): number | undefined =>
    sumOf(samples, 'sluice_operations', ({ status = '' }) => isMeant(status));
  const accepted = count('sluice_operations_accepted_total');
  return {
    atMs,
    // Counters with labels are not there before the first count.
    accepted: accepted ?? (samples.length > 0 ? 0 : undefined),
    settled: count('sluice_operations_settled_total'),
    refused: count('sluice_requests_refused_total') ?? (samples.length > 0 ? 0 : undefined),
    open: byStatus((status) => OPEN_STATUSES.has(status)),
    needsAttention: byStatus((status) => status === 'needs_attention'),
    writeBuckets: bucketsOf(
      samples,
      'sluice_http_request_duration_seconds',
      ({ method, route = '', status = '' }) =>
        method === 'POST' && route.startsWith('/v1/') && status.startsWith('2'),
    ),
    settleBuckets: bucketsOf(samples, 'sluice_settle_latency_seconds'),
  };
}

/** Rates between two looks. A counter that has gone back is another process: no rate. */
export function pointBetween(before: Look, after: Look): Point {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const accepted = rateOf(before.accepted, after.accepted, seconds);
  const settled = rateOf(before.settled, after.settled, seconds);
  const isOneProcess = accepted !== null;
  const quantile = (q: number): number | null =>
    isOneProcess ? (quantileBetween(before.writeBuckets, after.writeBuckets, q) ?? null) : null;
  return {
    atMs: after.atMs,
    accepted,
    settled: settled ?? derivedSettled(accepted, before.open, after.open, seconds),
    refused: rateOf(before.refused, after.refused, seconds),
    open: after.open ?? null,
    p50: quantile(0.5),
    p99: quantile(0.99),
  };
}

function rateOf(
  before: number | undefined,
  after: number | undefined,
  seconds: number,
): number | null {
  if (before === undefined || after === undefined || after < before || seconds <= 0) return null;
  return (after - before) / seconds;
}

/** What came in and is not there any more has been settled. */
// eslint-disable-next-line @typescript-eslint/max-params -- two looks at one number, beside a rate
function derivedSettled(
  accepted: number | null,
  before: number | undefined,
  after: number | undefined,
  seconds: number,
): number | null {
  if (accepted === null || before === undefined || after === undefined || seconds <= 0) return null;
  return Math.max(0, accepted - (after - before) / seconds);
}
