import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';

/**
 * Makes those who guess wrong wait, each time longer. Nobody waits for the mistakes of others: when
 * very many guess, a first mistake has its pause already, but whoever comes new has a first try.
 */
export interface Throttle {
  /** Seconds until this guesser may try again; 0: now. */
  waitSeconds(guesser: string): number;
  failed(guesser: string): void;
  succeeded(guesser: string): void;
}

interface Guesser {
  readonly failures: number;
  readonly mayTryMs: number;
  readonly forgottenMs: number;
}

export function createThrottle(clock: Clock): Throttle {
  const guessers = new Map<string, Guesser>();
  let all = { failures: 0, endsMs: 0 };

  const find = (guesser: string): Guesser | undefined => {
    const known = guessers.get(guesser);
    return known !== undefined && known.forgottenMs > clock.monotonicMs() ? known : undefined;
  };
  const countAll = (): number => {
    const now = clock.monotonicMs();
    if (all.endsMs <= now) all = { failures: 0, endsMs: now + LIMITS.adminGuessWindowMs };
    all.failures += 1;
    return all.failures;
  };

  return Object.freeze({
    waitSeconds: (guesser: string) => {
      const { mayTryMs = 0 } = find(guesser) ?? {};
      return Math.max(0, Math.ceil((mayTryMs - clock.monotonicMs()) / 1_000));
    },
    failed: (guesser: string) => {
      const now = clock.monotonicMs();
      const failures = (find(guesser)?.failures ?? 0) + 1;
      const pauseMs = pauseMsOf(failures, countAll() > LIMITS.adminGuessesMax);
      guessers.delete(guesser); // to the end of the line
      const [oldest] = guessers.keys();
      if (guessers.size >= LIMITS.adminGuessersMax && oldest !== undefined) guessers.delete(oldest);
      guessers.set(guesser, {
        failures,
        mayTryMs: now + pauseMs,
        forgottenMs: now + LIMITS.adminGuessWindowMs,
      });
    },
    succeeded: (guesser: string) => {
      guessers.delete(guesser);
    },
  } satisfies Throttle);
}

function pauseMsOf(failures: number, isCrowd: boolean): number {
  if (isCrowd) return LIMITS.adminGuessPauseMsMax;
  const beyond = failures - LIMITS.adminGuessesFree;
  if (beyond <= 0) return 0;
  return Math.min(LIMITS.adminGuessPauseMs * 2 ** (beyond - 1), LIMITS.adminGuessPauseMsMax);
}
