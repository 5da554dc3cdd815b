import { createLocalJWKSet, errors } from 'jose';
import { z } from 'zod';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { type Clock, withTimeout } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { supervise } from '../../core/kernel/supervise.ts';
import type { Logger } from '../../core/telemetry/logger.ts';

export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The public keys that tokens are signed with, as their issuer publishes them. */
export interface KeySetSource {
  /** @throws AppError `identity_unavailable` while there are none that are fresh enough. */
  current(): Promise<KeySet>;
  /**
   * After a token named a key that is not there: the set anew, but for one that was fetched (or could
   * not be) a moment ago. Undefined: it is the same.
   */
  newer(than: KeySet): Promise<KeySet | undefined>;
}

interface KeySetDeps {
  /** The document at the configured address. */
  readonly fetch: () => Promise<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Fetched {
  readonly set: KeySet;
  readonly atMs: number;
}

/**
 * Fetches the set when it is first needed, every `jwksFreshMs` while it is in use, and when a token
 * names a key that it lacks, at most every `jwksPauseMs`. While the issuer is away the last good set is
 * used for `jwksKeptMs`.
 */
export function createKeySetSource({ fetch, clock, logger }: KeySetDeps): KeySetSource {
  let last: Fetched | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    triedMs = clock.monotonicMs();
    try {
      const late = () => new Error('the issuer did not answer in time');
      const text = await withTimeout(fetch(), ACCESS_LIMITS.jwksAnswerMs, late);
      last = { set: keySetIn(text), atMs: clock.monotonicMs() };
    } catch (err) {
      logger.warn({ err }, 'tokens.keys.unfetched');
    }
  };
  const loadOnce = async (): Promise<void> => {
    const isPausing = clock.monotonicMs() - triedMs < ACCESS_LIMITS.jwksPauseMs;
    if (underWay === undefined && isPausing) return;
    underWay ??= load().finally(() => {
      underWay = undefined;
    });
    await underWay;
  };
  const ageMs = ({ atMs }: Fetched): number => clock.monotonicMs() - atMs;

  return Object.freeze({
    current: async () => {
      if (last === undefined || ageMs(last) > ACCESS_LIMITS.jwksKeptMs) await loadOnce();
      else if (ageMs(last) > ACCESS_LIMITS.jwksFreshMs) supervise(loadOnce(), () => undefined);
      if (last !== undefined && ageMs(last) <= ACCESS_LIMITS.jwksKeptMs) return last.set;
      const detail = 'The issuer of tokens did not give its keys; tokens cannot be checked now';
      throw new AppError('identity_unavailable', detail, { retryAfterSeconds: 5 });
    },
    newer: async (than: KeySet) => {
      if (last?.set === than) await loadOnce();
      return last?.set === than ? undefined : last?.set;
    },
  } satisfies KeySetSource);
}

const jwk = z.looseObject({ kty: z.string() });
const document = z.object({ keys: z.array(jwk).max(ACCESS_LIMITS.jwksKeysMax) });

/** Public keys alone: what is symmetric could only have been published by mistake. */
function keySetIn(text: string): KeySet {
  const { keys } = document.parse(JSON.parse(text));
  const isPublic = ({ kty }: z.infer<typeof jwk>): boolean => ['RSA', 'EC', 'OKP'].includes(kty);
  const fit = keys.filter(isPublic);
  if (fit.length === 0) throw new errors.JWKSInvalid('the set holds no public key');
  return createLocalJWKSet({ keys: fit });
}
