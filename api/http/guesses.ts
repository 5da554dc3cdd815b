import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import type { Authenticator } from '../../core/access/api-key-cache.ts';
import type { Principal } from '../../core/access/api-key.ts';
import { createRecentMap } from '../../core/infra/recent-map.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { addressGroup } from './address-group.ts';

/** Wrong keys of one group of addresses: secrets of one key, and any. */
export interface GuessLimits {
  readonly guessesOfKey: number;
  readonly guessesOfGroup: number;
}

/**
 * Slows those who guess keys, without letting them keep others out: a right key gets in at once, always
 * and from everywhere. Wrong ones count for the group of addresses that they come from, those of one
 * key by themselves as well. Beyond a ceiling each wrong one is held for a second and then told to
 * come later: over one connection nobody guesses faster than that.
 */
export function createGuarded(
  inner: Authenticator,
  clock: Clock,
  limits: GuessLimits = ACCESS_LIMITS,
): Authenticator {
  const countWrong = createCounts(clock, limits);
  let held = 0;
  const hold = async (): Promise<void> => {
    if (held >= ACCESS_LIMITS.guessesHeldMax) return;
    held += 1;
    await clock.sleep(ACCESS_LIMITS.guessHoldMs);
    held -= 1;
  };
  return Object.freeze({
    principalOf: (keyId: string) => inner.principalOf(keyId),
    authenticate: async (text: string, address?: string) => {
      const found = await judged(inner, text);
      if (!(found instanceof AppError)) return found;
      const waitSeconds = countWrong(addressGroup(address), text);
      if (waitSeconds === 0) throw found;
      await hold();
      throw tooMany(waitSeconds);
    },
  } satisfies Authenticator);
}

/** Who it is, or why it is not known: what is not the caller's mistake is thrown. */
async function judged(inner: Authenticator, text: string): Promise<Principal | AppError> {
  try {
    return (await inner.authenticate(text)) ?? new AppError('unauthenticated', WRONG);
  } catch (error) {
    // Whoever knows the secret of a key that has ended does not guess.
    const isGuess = error instanceof AppError && error.code === 'unauthenticated' && !isKey(text);
    if (isGuess) return error;
    throw error;
  }
}

const WRONG = 'Send a valid key: `Authorization: Bearer slk_…`';

function tooMany(retryAfterSeconds: number): AppError {
  const detail = `Too many wrong keys came from your address; try again in ${retryAfterSeconds} s`;
  return new AppError('rate_limited', detail, { retryAfterSeconds });
}

function isKey(text: string): boolean {
  return text.startsWith('slk_');
}

interface Count {
  readonly failures: number;
  readonly endsMs: number;
}

/** Counts a wrong key; seconds that whoever sends such is to wait, 0: it is only wrong. */
function createCounts(
  clock: Clock,
  { guessesOfKey, guessesOfGroup }: GuessLimits,
): (group: string, text: string) => number {
  const counts = createRecentMap<Count>(ACCESS_LIMITS.guessersMax);
  const secondsOver = (name: string, free: number): number => {
    const now = clock.monotonicMs();
    const { failures, endsMs } = counts.get(name) ?? { failures: 0, endsMs: 0 };
    const count =
      endsMs > now
        ? { failures: failures + 1, endsMs }
        : { failures: 1, endsMs: now + ACCESS_LIMITS.guessWindowMs };
    counts.set(name, count);
    return count.failures > free ? Math.max(1, Math.ceil((count.endsMs - now) / 1_000)) : 0;
  };
  return (group, text) => {
    // Tokens have nothing that could be guessed bit by bit.
    const place = isKey(text) ? `${group} ${text.slice(0, text.indexOf('_', 4))}` : undefined;
    const ofKey = place === undefined ? 0 : secondsOver(place, guessesOfKey);
    return Math.max(ofKey, secondsOver(group, guessesOfGroup));
  };
}
