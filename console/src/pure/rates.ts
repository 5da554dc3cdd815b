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

const UNDER_WAY: ReadonlySet<string> = new Set(['running', 'waiting', 'compensating']);

/** What waits for its settlement, and what has begun; undefined while neither is exported. */
function openIn(samples: readonly Sample[]): number | undefined {
  const counted = [
    sumOf(samples, 'sluice_accepted_backlog'),
    sumOf(samples, 'sluice_operations', ({ status = '' }) => UNDER_WAY.has(status)),
  ].filter((one) => one !== undefined);
  return counted.length === 0 ? undefined : counted.reduce((sum, one) => sum + one, 0);
}

export function lookAt(samples: readonly Sample[], atMs: number): Look {
  const count = (name: string): number | undefined => sumOf(samples, name);
  const accepted = count('sluice_operations_accepted_total');
  return {
    atMs,
    // Counters with labels are not there before the first count.
    accepted: accepted ?? (samples.length > 0 ? 0 : undefined),
    settled: count('sluice_operations_settled_total'),
    refused: count('sluice_requests_refused_total') ?? (samples.length > 0 ? 0 : undefined),
    open: openIn(samples),
    needsAttention: sumOf(
      samples,
      'sluice_operations',
      (one) => one['status'] === 'needs_attention',
    ),
    writeBuckets: bucketsOf(
      samples,
      'sluice_http_request_duration_seconds',
      ({ method, route = '', status = '' }) =>
        method === 'POST' && route.startsWith('/v1/') && status.startsWith('2'),
    ),
    settleBuckets: bucketsOf(samples, 'sluice_settle_latency_seconds'),
  };
}

/**
 * Rates between two looks. A counter that has gone back is another process: no rate. `earlier`: a look
 * so long ago that what is counted every few seconds has been counted since then.
 */
export function pointBetween(before: Look, after: Look, earlier: Look = before): Point {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const accepted = rateOf(before.accepted, after.accepted, seconds);
  const settled = rateOf(before.settled, after.settled, seconds);
  const isOneProcess = accepted !== null;
  const quantile = (q: number): number | null =>
    isOneProcess ? (quantileBetween(before.writeBuckets, after.writeBuckets, q) ?? null) : null;
  return {
    atMs: after.atMs,
    accepted,
    settled: settled ?? derivedSettled(earlier, after),
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
function derivedSettled(earlier: Look, after: Look): number | null {
  const seconds = (after.atMs - earlier.atMs) / 1_000;
  const accepted = rateOf(earlier.accepted, after.accepted, seconds);
  if (accepted === null || earlier.open === undefined || after.open === undefined) return null;
  return Math.max(0, accepted - (after.open - earlier.open) / seconds);
}
