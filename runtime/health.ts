import { HEALTH_LIMITS } from '../config/health-limits.ts';
import { LIMITS } from '../config/limits.ts';
import type { Seen } from '../core/health/finding.ts';
import { type HealthReport, createOnsets, reportOf } from '../core/health/report.ts';
import type { BreakerSample, FlowSample, HealthSample } from '../core/health/samples.ts';
import { createLeaseReads, createWorkerRoster } from '../core/infra/lease-store.ts';
import { createRoster } from '../core/infra/roster-store.ts';
import { lookAtMongo, lookAtRedis } from '../core/infra/server-sight.ts';
import { withTimeout } from '../core/kernel/clock.ts';
import { sampleLedger } from '../core/ledger/sample-store.ts';
import { createBreakerSight } from '../core/notifications/admission/breaker-sight-cache.ts';
import { createDeliveryWaitingCounts } from '../core/notifications/delivery/delivery-counts-store.ts';
import { sampleDeliveries } from '../core/notifications/delivery/delivery-sample-store.ts';
import { tenantBacklogs } from '../core/operations/backlog-reads-store.ts';
import { createOperationStore } from '../core/operations/operation-store.ts';
import { createRecoveryStore } from '../core/operations/recovery-store.ts';
import { createStatusCounts } from '../core/operations/status-counts-store.ts';
import { createWaitingCounts } from '../core/operations/waiting-counts-store.ts';
import type { Metrics } from '../core/telemetry/metrics.ts';
import type { Queues } from '../queues/producer.ts';
import { paymentNames } from './installation.ts';
import { PAYMENT_HOLD, paymentKeyOf } from './payments.ts';
import type { Platform } from './platform.ts';
import { exportHealth } from './health-gauges.ts';
import { readGauge } from './read-gauge.ts';

export interface HealthReader {
  /** At most once a second, whoever asks; within two seconds, whatever is away. */
  report(): Promise<HealthReport>;
  /** Judges anew, and sets the gauges that go with it. */
  export(): Promise<void>;
}

interface HealthDeps {
  readonly platform: Platform;
  /** The connection of the queues. */
  readonly queueRedis: Queues['connection'];
  /** Of the process, whose event loop and pool all cells share. */
  readonly ownMetrics: Metrics;
}

interface Read {
  readonly sample: HealthSample;
  readonly report: HealthReport;
}

type Sources = {
  readonly [K in keyof Omit<HealthSample, 'now' | 'process'>]: () => Promise<unknown>;
};

/** Reads what the analysers judge, all sources side by side and each with an end. */
export function openHealth(deps: HealthDeps): HealthReader {
  const { clock } = deps.platform;
  const sources = sourcesOf(deps);
  const onsets = createOnsets();
  let last: Promise<Read> | undefined;
  let lastMs = 0;
  const read = async (): Promise<Read> => {
    const startedMs = clock.monotonicMs();
    const [sample, process] = await Promise.all([seenAll(sources), processSample(deps.ownMetrics)]);
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    const whole = { ...sample, now: new Date(clock.now()), process };
    return { sample: whole, report: onsets(reportOf(whole, tookMs)) };
  };
  const readOnce = (): Promise<Read> => {
    const nowMs = clock.monotonicMs();
    if (last === undefined || nowMs - lastMs >= HEALTH_LIMITS.keptMs) {
      lastMs = nowMs;
      last = read();
    }
    return last;
  };
  return Object.freeze({
    report: async () => (await readOnce()).report,
    export: async () => {
      exportHealth(deps.platform.metrics, await readOnce());
    },
  } satisfies HealthReader);
}

function sourcesOf({ platform, queueRedis }: HealthDeps) {
  const { mongo, clock, env } = platform;
  const { db } = mongo;
  const tookOf = async <T>(look: Promise<T>): Promise<T & { readonly tookMs: number }> => {
    const startedMs = clock.monotonicMs();
    const seen = await look;
    return { ...seen, tookMs: Math.round(clock.monotonicMs() - startedMs) };
  };
  const { entriesSampled: entriesMax, walletsSampled: walletsMax } = HEALTH_LIMITS;
  return {
    money: () => sampleLedger(db, { entriesMax, walletsMax }),
    flow: flowSource(platform),
    execution: executionSource(platform),
    breakers: breakerSource(platform),
    liveness: async () => {
      const lanes = env.SETTLEMENT_LANES;
      const names = Array.from({ length: lanes }, (_, lane) => `lane:${lane}`);
      const [leases, alive, processes, { localTime: now }] = await Promise.all([
        createLeaseReads(db).find([...names, 'sweep']),
        createWorkerRoster(db).alive('settlement', LIMITS.laneLeaseMs),
        createRoster(db).count(LIMITS.rosterAliveMs),
        lookAtMongo(db),
      ]);
      const live = new Set(leases.filter(({ until }) => until > now).map(({ name }) => name));
      const sweep = leases.find(({ name }) => name === 'sweep');
      return {
        workers: Math.max(processes, alive.length),
        settlementWorkers: alive.length,
        lanes,
        unowned: names.flatMap((name, lane) => (live.has(name) ? [] : [lane])),
        ...(sweep !== undefined && { sweepUntil: sweep.until }),
        sweepLeaseMs: LIMITS.sweepLeaseMs,
      };
    },
    mongo: () => tookOf(lookAtMongo(db)),
    redis: async () => {
      if (queueRedis.status !== 'ready') throw new Error('not connected');
      return tookOf(lookAtRedis(queueRedis));
    },
  } satisfies Sources;
}

/** With what it found the last times it was asked, as far as that tells a trend. */
function flowSource({ mongo, clock }: Platform): () => Promise<FlowSample> {
  const store = createOperationStore(mongo.db);
  const recovery = createRecoveryStore(mongo.db);
  const trend: { readonly backlog: number; readonly at: Date; readonly atMs: number }[] = [];
  return async () => {
    const countMax = LIMITS.acceptedBacklogMax;
    const [backlog, lanes, tenants] = await Promise.all([
      store.countOpen(countMax),
      recovery.openLanes(),
      tenantBacklogs(mongo.db, { tenantsMax: HEALTH_LIMITS.tenantsLookedAt, countMax }),
    ]);
    const oldest = [...(await store.oldestOpen(lanes)).values()].map((at) => at.getTime());
    const atMs = clock.monotonicMs();
    // The oldest look that is not older than twice the span that makes a trend.
    while ((trend[0]?.atMs ?? atMs) < atMs - 2 * HEALTH_LIMITS.growthMs) trend.shift();
    const [earlier] = trend;
    if (atMs - (trend.at(-1)?.atMs ?? 0) >= HEALTH_LIMITS.growthMs / TREND_LOOKS) {
      trend.push({ backlog, at: new Date(clock.now()), atMs });
    }
    return {
      backlog,
      backlogMax: countMax,
      tenants: tenants.size,
      largestTenantBacklog: Math.max(0, ...tenants.values()),
      ...(oldest.length > 0 && { oldestAt: new Date(Math.min(...oldest)) }),
      ...(earlier !== undefined && { earlier }),
    };
  };
}

const TREND_LOOKS = 12;

function executionSource({ mongo, clock }: Platform) {
  const statuses = createStatusCounts(mongo.db, clock);
  const waiting = createWaitingCounts(mongo.db, clock);
  const deliveries = createDeliveryWaitingCounts(mongo.db, clock);
  return async () => {
    const [counts, operations, messages, newest] = await Promise.all([
      statuses(),
      waiting(),
      deliveries(),
      sampleDeliveries(mongo.db, HEALTH_LIMITS.deliveriesSampled),
    ]);
    return {
      needsAttention: counts.needs_attention ?? 0,
      retrying: operations.retry ?? 0,
      deliveriesRetrying: messages.retry ?? 0,
      deliveriesBehindBreakers: messages.breaker ?? 0,
      deliveriesEnded: newest.ended,
      deliveriesFailed: newest.failed,
    };
  };
}

function breakerSource({ redis: roles, mongo, env, processId }: Platform) {
  const redis = roles.open('state', { name: 'health', whenAway: 'fail' });
  const sightOf = createBreakerSight({ redis, prefix: roles.prefix });
  const roster = createRoster(mongo.db);
  return async (): Promise<readonly BreakerSample[]> => {
    if (redis.status !== 'ready') throw new Error('not connected');
    const others = await roster.others(processId, LIMITS.rosterMemoryMs);
    const names = new Set([...paymentNames(env), ...others.keys()]);
    const providers = [...names].flatMap((name) => /^payment\/(.+)$/.exec(name)?.[1] ?? []);
    return Promise.all(
      providers.map(async (provider) => ({
        provider,
        ...(await sightOf(paymentKeyOf(provider), PAYMENT_HOLD)),
      })),
    );
  };
}

async function processSample(metrics: Metrics) {
  const [loop, pool] = await Promise.all([
    readGauge(metrics.eventLoopLag, 'quantile'),
    readGauge(metrics.mongoPool, 'measure'),
  ]);
  return {
    loopP99Seconds: loop.get('0.99') ?? 0,
    loopMaxSeconds: loop.get('1') ?? 0,
    poolWaiters: pool.get('waiters') ?? 0,
    poolInUse: pool.get('in_use') ?? 0,
    poolSize: pool.get('size') ?? 0,
  };
}

type SeenOf<S extends Sources> = {
  readonly [K in keyof Sources]: Seen<Awaited<ReturnType<S[K]>>>;
};

/** What fails or is late is missing; nothing waits for anything else. */
async function seenAll<S extends Sources>(sources: S): Promise<SeenOf<S>> {
  const late = (): Error => new Error('too late');
  const seen = await Promise.all(
    Object.entries(sources).map(async ([name, read]) => {
      const value = await withTimeout(read(), HEALTH_LIMITS.sourceMs, late).catch(() => undefined);
      return [name, value] as const;
    }),
  );
  return Object.fromEntries(seen) as SeenOf<S>; // the same names
}
