import { HEALTH_LIMITS as MAX } from '../../config/health-limits.ts';
import { type Finding, graded, unknownOf, worstOf } from './finding.ts';
import type { BreakerSample, ExecutionSample, HealthSample } from './samples.ts';

/** Does what is begun come to its end? Pure. */
export function analyseExecution({ execution, breakers }: HealthSample): readonly Finding[] {
  const ofBreakers =
    breakers === undefined
      ? unknownOf('breakers', 'Redis')
      : breakersOf(breakers, execution?.deliveriesBehindBreakers ?? 0);
  if (execution === undefined) {
    const others = ['needs-attention', 'deliveries', 'retries'] as const;
    return [...others.map((check) => unknownOf(check, 'MongoDB')), ofBreakers];
  }
  return [attention(execution), deliveries(execution), retries(execution), ofBreakers];
}

function attention({ needsAttention }: ExecutionSample): Finding {
  return {
    check: 'needs-attention',
    verdict: graded(needsAttention, 1, MAX.attentionCritical),
    summary: `${needsAttention} operations wait for a person`,
    evidence: { operations: needsAttention },
  };
}

function deliveries({
  deliveriesEnded: ended,
  deliveriesFailed: failed,
}: ExecutionSample): Finding {
  const share = ended === 0 ? 0 : failed / ended;
  const isEnough = ended >= MAX.deliveriesSampledMin;
  return {
    check: 'deliveries',
    verdict: isEnough ? graded(share, MAX.failedShareDegraded, MAX.failedShareCritical) : 'ok',
    summary: `${failed} of the last ${ended} deliveries failed for good`,
    evidence: { ended, failed, share: Math.round(share * 1_000) / 1_000 },
  };
}

function retries({ retrying, deliveriesRetrying }: ExecutionSample): Finding {
  return {
    check: 'retries',
    verdict: graded(retrying + deliveriesRetrying, MAX.retriesDegraded, Infinity),
    summary: `${retrying} operations and ${deliveriesRetrying} deliveries wait for another attempt`,
    evidence: { operations: retrying, deliveries: deliveriesRetrying },
  };
}

function breakersOf(breakers: readonly BreakerSample[], behind: number): Finding {
  const open = breakers.filter(({ state }) => state === 'open');
  const unknown = breakers.filter(({ state }) => state === 'unknown');
  const names = open.map(({ provider }) => provider).join(' ');
  return {
    check: 'breakers',
    verdict: worstOf([
      open.length + behind > 0 ? 'degraded' : 'ok',
      unknown.length > 0 ? 'unknown' : 'ok',
    ]),
    summary:
      open.length + behind === 0
        ? 'No breaker is open'
        : `${open.length} payment providers are kept away from; ${behind} deliveries wait for a breaker`,
    evidence: {
      providers: breakers.length,
      open: open.length,
      deliveriesBehind: behind,
      ...(names !== '' && { names }),
    },
  };
}
