import { HEALTH_LIMITS as MAX } from '../../config/health-limits.ts';
import { type Finding, graded, unknownOf } from './finding.ts';
import type { FlowSample, HealthSample } from './samples.ts';

/** Does what is accepted get settled? Pure. */
export function analyseFlow({ flow, now }: HealthSample): readonly Finding[] {
  if (flow === undefined) {
    return (['backlog', 'backlog-growth', 'oldest-wait', 'tenant-backlog'] as const).map((check) =>
      unknownOf(check, 'MongoDB'),
    );
  }
  return [backlog(flow), growth(flow, now), oldest(flow, now), ofTenants(flow)];
}

function backlog({ backlog: open, backlogMax }: FlowSample): Finding {
  const share = open / backlogMax;
  return {
    check: 'backlog',
    verdict: graded(share, MAX.backlogShareDegraded, MAX.backlogShareCritical),
    summary: `${open} accepted operations wait; at ${backlogMax} nothing more is accepted`,
    evidence: { accepted: open, max: backlogMax, share: Math.round(share * 1_000) / 1_000 },
  };
}

/** Accepted against settled, as the difference of two looks. */
function growth({ backlog: open, earlier }: FlowSample, now: Date): Finding {
  const check = 'backlog-growth';
  if (earlier === undefined) {
    return {
      check,
      verdict: 'ok',
      summary: 'First look: no trend yet',
      evidence: { accepted: open },
    };
  }
  const seconds = Math.max(1, (now.getTime() - earlier.at.getTime()) / 1_000);
  const perSecond = Math.round(((open - earlier.backlog) / seconds) * 10) / 10;
  const isLong = seconds * 1_000 >= MAX.growthMs;
  const isGrowing = isLong && perSecond > 0 && open >= MAX.growthBacklogMin;
  return {
    check,
    verdict: isGrowing ? 'degraded' : 'ok',
    summary: isGrowing
      ? `More is accepted than settled: ${perSecond} operations a second`
      : 'As much is settled as accepted',
    evidence: { accepted: open, before: earlier.backlog, seconds: Math.round(seconds), perSecond },
    ...(isGrowing && { since: earlier.at }),
  };
}

function oldest({ oldestAt }: FlowSample, now: Date): Finding {
  const ageMs = oldestAt === undefined ? 0 : Math.max(0, now.getTime() - oldestAt.getTime());
  const verdict = graded(ageMs, MAX.oldestDegradedMs, MAX.oldestCriticalMs);
  return {
    check: 'oldest-wait',
    verdict,
    summary: `The oldest operation in a lane has waited for ${Math.round(ageMs / 1_000)} s`,
    evidence: { seconds: Math.round(ageMs / 1_000) },
    ...(verdict !== 'ok' && oldestAt !== undefined && { since: oldestAt }),
  };
}

function ofTenants({ tenants, largestTenantBacklog: largest }: FlowSample): Finding {
  return {
    check: 'tenant-backlog',
    verdict: graded(largest, MAX.tenantBacklogDegraded, Infinity),
    summary: `The tenant with most of it has ${largest} operations waiting`,
    evidence: { tenants, largest },
  };
}
