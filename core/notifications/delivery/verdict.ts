import { LIMITS } from '../../../config/limits.ts';
import { assertNever } from '../../kernel/assert.ts';
import type { FinalStatus } from './delivery.ts';
import type { ChannelPolicy } from '../policies.ts';
import type { SendOutcome } from '../ports.ts';

/** What becomes of a delivery after an attempt. */
export type Verdict =
  | { readonly kind: 'final'; readonly status: FinalStatus; readonly reason?: Reason }
  /** Again after `delayMs`; the attempt counts. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly reason: Reason }
  /** Later, and the attempt does not count. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** It was to see whether the other side is back, and it is not: no attempt of this one's. */
  | { readonly kind: 'asleep'; readonly delayMs: number; readonly reason: Reason };

interface Reason {
  readonly code: string;
  readonly detail: string;
}

interface Standing {
  readonly policy: ChannelPolicy;
  /** Before this attempt. */
  readonly attemptsUsed: number;
  /** Times that it was throttled before. */
  readonly throttles?: number;
  /** The call was a breaker's probe: for how long the other side is left alone now. */
  readonly probedMs?: number;
  readonly random: () => number;
}

/** Pure but for `random`. */
export function verdictOf(outcome: SendOutcome, standing: Standing): Verdict {
  switch (outcome.kind) {
    case 'sent':
      return { kind: 'final', status: 'sent' };
    case 'permanent':
      return { kind: 'final', status: 'failed', reason: reasonOf(outcome) };
    case 'throttled':
      return throttled(outcome.retryAfterMs ?? 0, standing);
    case 'transient':
      return again(reasonOf(outcome), standing);
    case 'fault':
      if (outcome.mayHaveSent && standing.policy.isAtMostOnce) {
        return { kind: 'final', status: 'uncertain', reason: reasonOf(outcome) };
      }
      if (standing.probedMs !== undefined) return asleep(outcome, standing.probedMs);
      return again(reasonOf(outcome), standing, outcome.retryAfterMs);
    default:
      return assertNever(outcome);
  }
}

function asleep(
  { retryAfterMs = 0, ...reason }: SendOutcome & { readonly kind: 'fault' },
  openMs: number,
): Verdict {
  const delayMs = Math.max(openMs, Math.min(retryAfterMs, LIMITS.retryAfterMsMax));
  return { kind: 'asleep', delayMs, reason: reasonOf(reason) };
}

function reasonOf({ code, detail }: Reason): Reason {
  return { code, detail };
}

function again(reason: Reason, standing: Standing, askedMs = 0): Verdict {
  const { policy, attemptsUsed, random } = standing;
  const pauseMs = policy.pausesMs[attemptsUsed];
  if (pauseMs === undefined) return { kind: 'final', status: 'failed', reason };
  const jittered = Math.round(pauseMs * (1 + policy.jitter * (2 * random() - 1)));
  // What the other side asked for counts where it is later than our own schedule.
  const delayMs = Math.max(jittered, Math.min(askedMs, LIMITS.retryAfterMsMax));
  return { kind: 'again', delayMs, reason };
}

/**
 * Later and later: who says when is believed, but not again and again at the same pace. What is put
 * off as often as that is not going to be taken.
 */
function throttled(askedMs: number, { policy, throttles = 0, random }: Standing): Verdict {
  if (throttles + 1 >= policy.throttlesMax) {
    const detail = `The other side has put it off ${policy.throttlesMax} times`;
    return { kind: 'final', status: 'failed', reason: { code: 'throttled', detail } };
  }
  const firstMs = askedMs > 0 ? LIMITS.throttledMsMin : policy.throttledMs;
  const grownMs = Math.min(firstMs * 2 ** throttles, policy.throttledMsMax);
  const ownMs = Math.round(grownMs * (1 + policy.jitter * random()));
  return { kind: 'later', delayMs: Math.max(ownMs, Math.min(askedMs, LIMITS.retryAfterMsMax)) };
}
