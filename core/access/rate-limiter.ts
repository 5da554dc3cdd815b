import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { type Clock, withTimeout } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { createGroup } from '../kernel/group.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Principal } from './api-key.ts';
import { createLocalBuckets } from './local-buckets.ts';
import {
  type Lane,
  type Level,
  type RateClass,
  type Taking,
  laneOf,
  rateLimitText,
} from './rates.ts';
import type { Asking, SharedBuckets } from './shared-buckets-cache.ts';

/** What one request takes of the rates of its key and tenant. */
export interface Meter {
  /**
   * All of them or none.
   *
   * @throws AppError `rate_limited`.
   */
  take(tokens: number): Promise<void>;
  /** `RateLimit` and `RateLimit-Policy`, as they stood last. */
  headers(): Readonly<Record<string, string>>;
}

export interface RateLimiter {
  /** Undefined: nothing limits it, and nothing is asked. */
  meter(principal: Principal, kind: RateClass): Meter | undefined;
}

interface RateLimiterDeps {
  readonly shared: Pick<SharedBuckets, 'take' | 'isReady'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A lane, and until when it is known to be empty: nobody can put anything back. */
interface KnownLane extends Lane {
  emptyUntilMs: number;
  levels: readonly Level[];
}

/**
 * Requests of one turn of the event loop ask together, those of one key as one number; a lane that is
 * known to be empty is not asked about. While Redis is away each process counts for itself.
 */
export function createRateLimiter(deps: RateLimiterDeps): RateLimiter {
  const { clock } = deps;
  const lanes = new WeakMap<Principal, Partial<Record<RateClass, KnownLane | null>>>();
  const takeAll = createTaker(deps);
  const group = createGroup<Asking, Taking>({
    sizeMax: ACCESS_LIMITS.rateGroupMax,
    inFlightMax: ACCESS_LIMITS.rateSlots,
    run: async (asked) => {
      const together = gathered(asked);
      return sharedOut(asked, together, await takeAll(together));
    },
  });

  const find = (principal: Principal, kind: RateClass): KnownLane | undefined => {
    const known = lanes.get(principal) ?? {};
    const lane = known[kind];
    if (lane !== undefined) return lane ?? undefined;
    const { keyId, tenant, plan } = principal;
    const made = laneOf({ keyId, tenantId: tenant.tenantId }, plan, kind);
    const fresh = made === undefined ? null : { ...made, emptyUntilMs: 0, levels: [] };
    lanes.set(principal, { ...known, [kind]: fresh });
    return fresh ?? undefined;
  };
  const ask = async (lane: KnownLane, tokens: number): Promise<void> => {
    const nowMs = clock.monotonicMs();
    if (lane.emptyUntilMs > nowMs) throw limited(lane.emptyUntilMs - nowMs);
    const taking = await group.add({ lane, tokens, isWhole: tokens > 1 });
    lane.levels = taking.levels;
    if (taking.granted > 0) return;
    const isKnown = tokens === 1 && taking.isLocal !== true;
    if (isKnown) lane.emptyUntilMs = clock.monotonicMs() + taking.waitMs;
    throw limited(taking.waitMs);
  };

  return Object.freeze({
    meter: (principal: Principal, kind: RateClass) => {
      const lane = find(principal, kind);
      if (lane === undefined) return undefined;
      return {
        take: async (tokens: number) => {
          if (tokens > 0) await ask(lane, tokens);
        },
        headers: () => ({
          RateLimit: rateLimitText(lane, lane.levels),
          'RateLimit-Policy': lane.policy,
        }),
      };
    },
  } satisfies RateLimiter);
}

function limited(waitMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
  const detail = `The rate of the key or of its tenant is used up; try again in ${retryAfterSeconds} s`;
  return new AppError('rate_limited', detail, { retryAfterSeconds });
}

/** Single tokens of a lane are one number; what counts as a whole stands by itself. */
function gathered(asked: readonly Asking[]): readonly Asking[] {
  const singles = new Map<Lane, number>();
  for (const { lane, isWhole } of asked) {
    if (!isWhole) singles.set(lane, (singles.get(lane) ?? 0) + 1);
  }
  return [
    ...[...singles].map(([lane, tokens]) => ({ lane, tokens, isWhole: false })),
    ...asked.filter(({ isWhole }) => isWhole),
  ];
}

/** What was got together, to those who asked: who came first gets first. */
function sharedOut(
  asked: readonly Asking[],
  together: readonly Asking[],
  takings: readonly Taking[],
): readonly Taking[] {
  const wholes = new Map<Asking, Taking>();
  const singles = new Map<Lane, { left: number; readonly taking: Taking }>();
  for (const [index, one] of together.entries()) {
    const taking = takings[index];
    if (taking === undefined) continue; // then the group finds too few results
    if (one.isWhole) wholes.set(one, taking);
    else singles.set(one.lane, { left: taking.granted, taking });
  }
  return asked.flatMap((one): readonly Taking[] => {
    const whole = wholes.get(one);
    if (whole !== undefined) return [whole];
    const single = singles.get(one.lane);
    if (single === undefined) return [];
    const granted = single.left > 0 ? 1 : 0;
    single.left -= granted;
    return [{ ...single.taking, granted }];
  });
}

/** Never rejects, and never waits long. */
function createTaker({ shared: buckets, clock, logger }: RateLimiterDeps) {
  const local = createLocalBuckets(clock);
  let awayUntilMs = 0;
  const byItself = (asked: readonly Asking[]): readonly Taking[] =>
    asked.map(({ lane, tokens, isWhole }) => local.take(lane, tokens, isWhole));
  return async (asked: readonly Asking[]): Promise<readonly Taking[]> => {
    if (!buckets.isReady() || clock.monotonicMs() < awayUntilMs) return byItself(asked);
    try {
      const late = () => new Error('the shared buckets did not answer in time');
      return await withTimeout(buckets.take(asked), ACCESS_LIMITS.rateAnswerMs, late);
    } catch (err) {
      awayUntilMs = clock.monotonicMs() + ACCESS_LIMITS.rateAwayMs;
      logger.warn({ err }, 'rates.counted-by-this-process');
      return byItself(asked);
    }
  };
}
