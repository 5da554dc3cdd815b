import { HEALTH_LIMITS as MAX } from '../../config/health-limits.ts';
import { type Finding, graded, unknownOf } from './finding.ts';
import type { HealthSample, LivenessSample, ProcessSample } from './samples.ts';

/** Is somebody there who does the work? Pure. */
export function analyseLiveness({ liveness, process, now }: HealthSample): readonly Finding[] {
  const own = eventLoop(process);
  if (liveness === undefined) {
    const others = ['workers', 'lanes', 'recovery'] as const;
    return [...others.map((check) => unknownOf(check, 'MongoDB')), own];
  }
  return [workers(liveness), lanes(liveness, now), recovery(liveness, now), own];
}

function workers({ workers: all, settlementWorkers }: LivenessSample): Finding {
  return {
    check: 'workers',
    verdict: settlementWorkers === 0 ? 'critical' : 'ok',
    summary:
      settlementWorkers === 0
        ? 'No worker that settles has given a sign of life'
        : `${all} workers are alive, ${settlementWorkers} of them settle`,
    evidence: { workers: all, settling: settlementWorkers },
  };
}

function lanes({ lanes: all, unowned, settlementWorkers }: LivenessSample, _now: Date): Finding {
  const isAll = unowned.length === all;
  return {
    check: 'lanes',
    verdict:
      unowned.length === 0 ? 'ok' : isAll || settlementWorkers === 0 ? 'critical' : 'degraded',
    summary:
      unowned.length === 0
        ? `All ${all} lanes have an owner`
        : `${unowned.length} of ${all} lanes have no owner: ${unowned.join(' ')}`,
    evidence: { lanes: all, unowned: unowned.length },
  };
}

/** The sweeper renews its lease with every sweep, and so its end says when the last one began. */
function recovery({ sweepUntil, sweepLeaseMs }: LivenessSample, now: Date): Finding {
  const check = 'recovery';
  if (sweepUntil === undefined) {
    const summary = 'Nobody sweeps: what is lost is not found again';
    return { check, verdict: 'critical', summary, evidence: {} };
  }
  const last = new Date(sweepUntil.getTime() - sweepLeaseMs);
  const ageMs = Math.max(0, now.getTime() - last.getTime());
  const verdict = graded(ageMs, MAX.recoveryDegradedMs, MAX.recoveryCriticalMs);
  return {
    check,
    verdict,
    summary: `The last sweep began ${Math.round(ageMs / 1_000)} s ago`,
    evidence: { seconds: Math.round(ageMs / 1_000) },
    ...(verdict !== 'ok' && { since: last }),
  };
}

function eventLoop({ loopP99Seconds: p99, loopMaxSeconds: max }: ProcessSample): Finding {
  const ms = (seconds: number): number => Math.round(seconds * 1_000);
  return {
    check: 'event-loop',
    verdict: graded(p99, MAX.loopDegradedSeconds, MAX.loopCriticalSeconds),
    summary: `The event loop of this API is late by ${ms(p99)} ms (p99), ${ms(max)} ms at worst`,
    evidence: { p99Ms: ms(p99), maxMs: ms(max) },
  };
}
