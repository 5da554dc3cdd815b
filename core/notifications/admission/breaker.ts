import { DELIVERY_BREAKER } from '../../../config/breakers.ts';

/**
 * The circuit breaker as a pure decision table. `breaker-cache.ts` has the same table once more in
 * Lua, for the state that all processes share; a model test holds the two against each other.
 */
export const BREAKER = { ...DELIVERY_BREAKER, buckets: 6 } as const;

export type BreakerTuning = { readonly [K in keyof typeof BREAKER]: number };

interface Bucket {
  readonly slot: number;
  readonly good: number;
  readonly bad: number;
}

export interface BreakerState {
  readonly phase: 'closed' | 'open' | 'probing';
  /** Open: until when. Probing: when the probe is taken for lost. */
  readonly untilMs: number;
  /** Times in a row that it opened. */
  readonly trips: number;
  readonly buckets: readonly Bucket[];
}

export const CLOSED: BreakerState = { phase: 'closed', untilMs: 0, trips: 0, buckets: [] };

export type Admission =
  | { readonly kind: 'go'; readonly isProbe: boolean }
  | { readonly kind: 'open'; readonly untilMs: number };

interface Stepped<R> {
  readonly state: BreakerState;
  readonly result: R;
}

/** May a call go out now? */
export function admit(
  state: BreakerState,
  nowMs: number,
  tuning: BreakerTuning = BREAKER,
): Stepped<Admission> {
  if (state.phase === 'closed') return { state, result: { kind: 'go', isProbe: false } };
  if (nowMs >= state.untilMs) {
    const probing = { ...state, phase: 'probing', untilMs: nowMs + tuning.probeMs } as const;
    return { state: probing, result: { kind: 'go', isProbe: true } };
  }
  const untilMs = state.phase === 'open' ? state.untilMs : nowMs + tuning.recheckMs;
  return { state, result: { kind: 'open', untilMs } };
}

export interface Report {
  readonly isGood: boolean;
  readonly isProbe: boolean;
}

/** A call has come back. */
export function record(
  state: BreakerState,
  report: Report,
  { nowMs, tuning = BREAKER }: { readonly nowMs: number; readonly tuning?: BreakerTuning },
): BreakerState {
  if (state.phase === 'probing') {
    if (!report.isProbe) return state; // it went out before the breaker opened
    return report.isGood ? CLOSED : opened(state, nowMs, tuning);
  }
  if (state.phase === 'open') return state;
  const counted = { ...state, buckets: counting(state.buckets, report, { nowMs, tuning }) };
  const { good, bad } = samplesOf(counted, nowMs, tuning);
  const isTripped =
    !report.isGood && good + bad >= tuning.samplesMin && bad >= tuning.failureShare * (good + bad);
  return isTripped ? opened(counted, nowMs, tuning) : counted;
}

/** Calls of the window by how they ended. */
export function samplesOf(
  { buckets }: BreakerState,
  nowMs: number,
  tuning: BreakerTuning = BREAKER,
): { readonly good: number; readonly bad: number } {
  // Of another window, that was set before, none counts: its slots have other numbers.
  const newest = slotOf(nowMs, tuning);
  const live = buckets.filter(({ slot }) => slot > newest - tuning.buckets && slot <= newest);
  return {
    good: live.reduce((sum, bucket) => sum + bucket.good, 0),
    bad: live.reduce((sum, bucket) => sum + bucket.bad, 0),
  };
}

/**
 * Calls that may be under way at once: as many as could fail before the breaker opens, so that one
 * that is down costs no more than that, and more the more have succeeded.
 */
export function roomOf(
  { good, bad }: { readonly good: number; readonly bad: number },
  max: number,
  samplesMin: number = BREAKER.samplesMin,
) {
  return Math.min(max, Math.max(1, samplesMin - bad, good - bad));
}

function slotOf(nowMs: number, { windowMs, buckets }: BreakerTuning): number {
  return Math.floor(nowMs / (windowMs / buckets));
}

function counting(
  buckets: readonly Bucket[],
  { isGood }: Report,
  { nowMs, tuning }: { readonly nowMs: number; readonly tuning: BreakerTuning },
): readonly Bucket[] {
  const slot = slotOf(nowMs, tuning);
  const live = buckets.filter((one) => one.slot > slot - tuning.buckets && one.slot <= slot);
  const current = live.find((bucket) => bucket.slot === slot) ?? { slot, good: 0, bad: 0 };
  const { good, bad } = current;
  return [
    ...live.filter((bucket) => bucket.slot !== slot),
    { slot, good: good + (isGood ? 1 : 0), bad: bad + (isGood ? 0 : 1) },
  ];
}

function opened({ trips }: BreakerState, nowMs: number, tuning: BreakerTuning): BreakerState {
  const openMs = Math.min(tuning.openMsMax, tuning.openMs * 2 ** Math.min(trips, 20));
  return { phase: 'open', untilMs: nowMs + openMs, trips: trips + 1, buckets: [] };
}
