import { VERDICTS } from '../core/health/finding.ts';
import type { HealthReport } from '../core/health/report.ts';
import type { HealthSample } from '../core/health/samples.ts';
import type { Metrics } from '../core/telemetry/metrics.ts';

interface Judged {
  readonly sample: HealthSample;
  readonly report: HealthReport;
}

/** What nobody knows is no number: an old one would look like a new one. */
const UNKNOWN = Number.NaN;

/** Sets the gauges that alerts go by to what the report was judged by. */
export function exportHealth(metrics: Metrics, { sample, report }: Judged): void {
  for (const { check, verdict } of report.findings) {
    metrics.healthVerdict.set({ check }, VERDICTS.indexOf(verdict));
  }
  exportWork(metrics, sample);
  exportServers(metrics, sample);
}

function exportWork(metrics: Metrics, sample: HealthSample): void {
  const { money, flow, liveness, now } = sample;
  metrics.moneyUnsound.set({ check: 'entries-balance' }, known(money?.unbalanced.length));
  metrics.moneyUnsound.set({ check: 'wallets-agree' }, known(money?.disagreeing.length));
  metrics.oldestWait.set(known(flow && secondsSince(flow.oldestAt ?? now, now)));
  metrics.largestTenantBacklog.set(known(flow?.largestTenantBacklog));
  metrics.lanesUnowned.set(known(liveness?.unowned.length));
  metrics.workersAlive.set(known(liveness?.settlementWorkers));
  metrics.sweepAge.set(sweepAgeOf(sample));
}

function exportServers(metrics: Metrics, { mongo, redis }: HealthSample): void {
  metrics.replicationLag.set(known(mongo && mongo.lagMs / 1_000));
  metrics.redisMemory.set({ measure: 'used' }, known(redis?.usedBytes));
  metrics.redisMemory.set({ measure: 'max' }, known(redis?.maxBytes));
  metrics.redisEvicts.set(known(redis && Number(redis.policy !== 'noeviction')));
}

function known(value: number | undefined): number {
  return value ?? UNKNOWN;
}

/** Where nobody has ever swept it is as old as can be: that is known. */
function sweepAgeOf({ liveness, now }: HealthSample): number {
  if (liveness === undefined) return UNKNOWN;
  const { sweepUntil, sweepLeaseMs } = liveness;
  if (sweepUntil === undefined) return Number.POSITIVE_INFINITY;
  return secondsSince(new Date(sweepUntil.getTime() - sweepLeaseMs), now);
}

function secondsSince(at: Date, now: Date): number {
  return Math.max(0, (now.getTime() - at.getTime()) / 1_000);
}
