import {
  AggregatorRegistry,
  Counter,
  Gauge,
  Histogram,
  Registry,
  collectDefaultMetrics,
} from 'prom-client';
import { ERRORS } from '../kernel/errors.ts';

const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const REPAIR_SECONDS = [1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 900];

/** Label values outside the closed tables are counted under `other`, so that ids cannot leak in. */
export function codeLabel(code: string): string {
  return Object.hasOwn(ERRORS, code) ? code : 'other';
}

/**
 * The metrics of a process, one row each. Base units; labels only from closed tables (operation
 * types, queue names, error codes, route patterns, rule names).
 */
export function createMetrics(registry: Registry = new Registry()) {
  const registers = [registry];
  const included: Registry[] = [];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    { labels = [], buckets }: { readonly labels?: readonly L[]; readonly buckets: number[] },
  ) => new Histogram<L>({ name, help, labelNames: labels, buckets, registers });

  return Object.freeze({
    registry,
    /** From now on the text has those of a cell as well, which its label tells apart. */
    include: (cell: { readonly registry: Registry }) => {
      included.push(cell.registry);
    },
    text: async (): Promise<string> => {
      if (included.length === 0) return registry.metrics();
      const all = await Promise.all([registry, ...included].map((one) => one.getMetricsAsJSON()));
      return AggregatorRegistry.aggregate(all).metrics();
    },
    collectProcessMetrics: () => {
      collectDefaultMetrics({ register: registry });
    },
    accepted: counter('sluice_operations_accepted_total', 'Operations made durable', ['type']),
    replayed: counter('sluice_operations_replayed_total', 'Requests answered from a stored key', [
      'type',
    ]),
    refused: counter('sluice_requests_refused_total', 'Requests answered 4xx or 5xx', ['code']),
    settled: counter('sluice_operations_settled_total', 'Operations that became terminal', [
      'type',
      'status',
    ]),
    rejected: counter('sluice_operations_rejected_total', 'Business refusals at settlement', [
      'type',
      'code',
    ]),
    groupSize: histogram('sluice_ingest_group_size', 'Operations per group commit', {
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    }),
    enqueueFailed: counter(
      'sluice_enqueue_failed_total',
      'Jobs that could not be enqueued after the commit (the sweeper repairs)',
      ['queue'],
    ),
    httpDuration: histogram('sluice_http_request_duration_seconds', 'HTTP requests', {
      labels: ['method', 'route', 'status'],
      buckets: LATENCY_SECONDS,
    }),
    backlog: gauge('sluice_accepted_backlog', 'Accepted operations not yet settled', []),
    batchSize: histogram('sluice_settlement_batch_size', 'Operations per settlement transaction', {
      buckets: [1, 2, 5, 10, 25, 50, 100, 200, 400],
    }),
    batchDuration: histogram(
      'sluice_settlement_batch_seconds',
      'One settlement transaction, reads to commit',
      { buckets: LATENCY_SECONDS },
    ),
    settleLatency: histogram('sluice_settle_latency_seconds', 'From accepted to terminal', {
      buckets: LATENCY_SECONDS,
    }),
    conflicts: counter('sluice_settlement_conflicts_total', 'Transactions retried', ['reason']),
    deferred: counter('sluice_settlement_deferred_total', 'Operations put off to a later batch', [
      'reason',
    ]),
    laneLag: gauge('sluice_lane_lag_seconds', 'Age of the oldest open operation of a held lane', [
      'lane',
    ]),
    lanesHeld: gauge('sluice_lanes_held', 'Lanes that this process consumes', []),
    queueDepth: gauge('sluice_queue_jobs', 'Jobs by queue and state', ['queue', 'state']),
    fencedOut: counter('sluice_saga_fenced_total', 'Claims lost to another worker', ['type']),
    queueOldest: gauge('sluice_queue_oldest_wait_seconds', 'Wait of the next job', ['queue']),
    sweepStale: counter('sluice_sweep_stale_total', 'Stale work found, by rule', ['rule']),
    sweepRepaired: counter('sluice_sweep_repaired_total', 'Repairs made, by rule', ['rule']),
    timeToRepair: histogram(
      'sluice_time_to_repair_seconds',
      'From when work should have moved to when the sweeper moved it',
      { labels: ['rule'], buckets: REPAIR_SECONDS },
    ),
    oldestOpen: gauge('sluice_oldest_open_seconds', 'Age of the oldest non-terminal operation', []),
    outboxPublished: counter('sluice_outbox_events_total', 'Events published', ['event']),
    deliveriesCreated: counter('sluice_deliveries_created_total', 'Deliveries made of events', [
      'channel',
    ]),
    deliveriesFinished: counter('sluice_deliveries_finished_total', 'Deliveries by their end', [
      'channel',
      'status',
    ]),
    deliveryAttempts: counter('sluice_delivery_attempts_total', 'Calls to providers', [
      'channel',
      'provider',
      'outcome',
    ]),
    deliveryAttemptSeconds: histogram(
      'sluice_delivery_attempt_seconds',
      'Duration of a call to a provider',
      { labels: ['channel', 'provider'], buckets: LATENCY_SECONDS },
    ),
    deliverySeconds: histogram(
      'sluice_delivery_seconds',
      'From when a delivery was made to when it was sent',
      { labels: ['channel'], buckets: LATENCY_SECONDS },
    ),
    deliveriesDeferred: counter(
      'sluice_deliveries_deferred_total',
      'Deliveries put off without using up an attempt',
      ['channel', 'reason'],
    ),
    breakersOpen: gauge(
      'sluice_breakers_open',
      'Open circuit breakers as this process sees them (webhooks, Web Push: hosts)',
      ['channel', 'provider'],
    ),
    paymentBreakerOpen: gauge(
      'sluice_payment_breaker_open',
      '1: the breaker of the payment provider is open, as this process sees it',
      ['provider'],
    ),
    paymentCalls: counter('sluice_payment_calls_total', 'Calls to payment providers', [
      'provider',
      'outcome',
    ]),
    paymentCallSeconds: histogram(
      'sluice_payment_call_seconds',
      'Duration of a call to a payment provider',
      { labels: ['provider'], buckets: LATENCY_SECONDS },
    ),
    paymentCallsInFlight: gauge(
      'sluice_payment_calls_in_flight',
      'Calls to payment providers under way in this process',
      ['provider'],
    ),
    stepOutcomes: counter(
      'sluice_saga_steps_total',
      'Attempts at steps of sagas, by what came of them',
      ['type', 'step', 'outcome'],
    ),
    operationsByStatus: gauge(
      'sluice_operations',
      'Operations under way, or waiting for a time, an answer or a human, by status',
      ['status'],
    ),
    realtimeClients: gauge('sluice_realtime_clients', 'Open streams and sockets', ['transport']),
    realtimeSent: counter('sluice_realtime_events_total', 'Events handed to clients', [
      'transport',
    ]),
    realtimeClosed: counter(
      'sluice_realtime_closed_total',
      'Streams and sockets that were closed from here, by reason (slow, revoked, shutdown)',
      ['transport', 'reason'],
    ),
    realtimeResumes: counter('sluice_realtime_resumes_total', 'Clients that came back', [
      'transport',
    ]),
    realtimeGaps: counter(
      'sluice_realtime_gaps_total',
      'Clients that were told that events are missing',
      ['transport'],
    ),
    realtimeDelay: histogram(
      'sluice_realtime_delay_seconds',
      'From the append to a stream until this process has handed it to its clients',
      { buckets: LATENCY_SECONDS },
    ),
    readGroupSize: histogram('sluice_read_group_size', 'Look-ups that shared a round trip', {
      labels: ['what'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
    }),
    cacheReads: counter('sluice_cache_reads_total', 'Cached wallets asked for, tier by tier', [
      'tier',
      'outcome',
    ]),
    cacheWrites: counter(
      'sluice_cache_writes_total',
      "Wallets for the cache's Redis: written, older than what is there, failed",
      ['outcome'],
    ),
    mongoPool: gauge('sluice_mongo_pool', 'Connection pool, by measure', ['measure']),
    mongoCheckout: histogram('sluice_mongo_checkout_seconds', 'Waiting for a pooled connection', {
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    }),
    eventLoopLag: gauge('sluice_event_loop_lag_seconds', 'Event loop delay', ['quantile']),
  });
}

export type Metrics = ReturnType<typeof createMetrics>;
