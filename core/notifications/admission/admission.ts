import { LIMITS } from '../../../config/limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Breakers, Samples } from './breaker-cache.ts';
import { type TuningOf, usualTuning } from './breaker-tunings.ts';
import { roomOf } from './breaker.ts';
import { type Standing, createSlots } from './slots.ts';
import { createOldCalls } from './old-calls.ts';
import { createWakes } from './wakes.ts';
import type { ChannelPolicy } from '../policies.ts';
import type { Channel, SendOutcome } from '../ports.ts';

/** Where a call is to go. */
export interface Target {
  readonly channel: Channel;
  readonly provider: string;
  /** What breaks together: a provider, or one host. */
  readonly breakerKey: string;
  /** What waits together when the other side asks for it: one endpoint, or all of the above. */
  readonly holdKey: string;
  /** However long it asks for. */
  readonly holdMsMax: number;
  /** Whose message it is: no tenant takes up more than half of a pool. */
  readonly tenantId: string;
  /** Before the others in its line. */
  readonly isUrgent: boolean;
  readonly policy: ChannelPolicy;
}

export type Permit =
  /** One of the two has to be called: with what came of it, or when nothing was sent after all. */
  | {
      readonly kind: 'go';
      leave(outcome: SendOutcome): Promise<Left>;
      abandon(): void;
    }
  /** The other side has asked to be left alone for so long. */
  | { readonly kind: 'held'; readonly waitMs: number }
  | { readonly kind: 'open'; readonly waitMs: number }
  /** Too many at once, or too many a second, and no place in its time. */
  | { readonly kind: 'busy'; readonly waitMs: number };

/** How it stands where a call has been to. */
export interface Left {
  /** The call was to see whether it is back. */
  readonly isProbe: boolean;
  /** 0: its breaker is closed. */
  readonly openMs: number;
}

export interface Admission {
  enter(target: Target): Promise<Permit>;
  /** Who is in line or under way on a channel, and how many of them get a place in a moment. */
  standing(channel: Channel): Standing;
  /** Breakers that this process knows to be open, for the metric. */
  refresh(): void;
}

interface AdmissionDeps {
  readonly breakers: Breakers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** By default as built in. */
  readonly tuningOf?: TuningOf;
  /** Who may wait in one line, and in all of a channel; asked anew each time. */
  readonly lines?: { readonly lineMax?: () => number; readonly linesMax?: () => number };
}

interface Known {
  readonly target: Target;
  readonly untilMs: number;
}

/**
 * Everything that may keep a call back: the breaker and the rate (shared), and the number of calls
 * under way to one host (this process's). One slow host so takes a part of the process at most: its
 * places, and a short line that waits for them.
 */
export function createAdmission({
  breakers,
  clock,
  random,
  logger,
  metrics,
  tuningOf = usualTuning,
  lines = {},
}: AdmissionDeps): Admission {
  const places = createSlots({ clock, random, ...lines });
  const shares = createShares();
  const samples = new Map<string, Samples>();
  const open = new Map<string, Known>();
  const wakes = createWakes(clock);
  const calls = createOldCalls(clock);

  const keyOf = ({ channel, provider, breakerKey }: Target): string =>
    `${channel}/${provider}/${breakerKey}`;

  const noteOpen = (key: string, target: Target, openMs: number): void => {
    if (openMs > 0) {
      const { channel, provider, breakerKey } = target;
      if (!open.has(key)) logger.warn({ channel, provider, breakerKey, openMs }, 'breaker.opened');
      open.set(key, { target, untilMs: clock.monotonicMs() + openMs });
    } else if (open.delete(key)) {
      logger.info({ channel: target.channel, breakerKey: target.breakerKey }, 'breaker.closed');
    }
    refresh();
  };

  const refresh = (): void => {
    places.tidy();
    metrics.breakersOpen.reset();
    for (const [key, { target, untilMs }] of open) {
      // Nobody has asked since: another process may have closed it.
      if (clock.monotonicMs() > untilMs + tuningOf(key).probeMs) open.delete(key);
      else metrics.breakersOpen.inc({ channel: target.channel, provider: target.provider });
    }
  };

  const remember = (key: string, seen: Samples): void => {
    if (samples.size >= LIMITS.breakersMax) samples.clear();
    samples.set(key, seen);
  };

  const permit = (key: string, target: Target, isProbe: boolean): Permit => {
    const endCall = calls.begin(target.channel, key);
    return {
      kind: 'go',
      abandon: () => {
        endCall();
        places.giveBack(key);
        shares.giveBack(target);
      },
      leave: async (outcome) => {
        endCall();
        const report = { isGood: outcome.kind !== 'fault', isProbe };
        const hold = { key: target.holdKey, ms: holdMsOf(outcome, target) };
        const { openMs, samples: seen } = await breakers.leave(key, report, hold);
        // Together: its place is free only once its outcome counts.
        remember(key, seen);
        places.giveBack(key);
        shares.giveBack(target);
        if (openMs > 0 || open.has(key)) noteOpen(key, target, openMs);
        return { isProbe, openMs };
      },
    };
  };

  const enter = async (target: Target): Promise<Permit> => {
    const key = keyOf(target);
    const { channel, policy } = target;
    const room = (): number => {
      const seen = samples.get(key) ?? NO_SAMPLES;
      const inFlight = roomOf(seen, policy.inFlightMax, tuningOf(key).samplesMin);
      return seen.good === 0 ? Math.min(inFlight, LIMITS.deliveryUnprovenMax) : inFlight;
    };
    const paceMsMin = policy.ratePerSecond > 0 ? 1_000 / policy.ratePerSecond : 0;
    const deadlineMs = clock.monotonicMs() + policy.placeWaitMs;
    for (let isFirst = target.isUrgent; ; isFirst = true) {
      const turn = await places.take({ key, channel, room, paceMsMin, deadlineMs, isFirst });
      if (turn.kind === 'busy') return turn;
      const entry = await breakers.enter(key, policy.ratePerSecond, target.holdKey);
      if (entry.kind === 'throttled') {
        places.slow(key, entry.waitMs);
        places.giveBack(key);
        continue;
      }
      if (entry.kind === 'go') remember(key, entry.samples);
      places.proceed(key);
      if (entry.kind === 'go') return permit(key, target, entry.isProbe);
      places.giveBack(key);
      if (entry.kind === 'open') noteOpen(key, target, entry.waitMs);
      const sleeper = entry.kind === 'open' ? key : `${key}\n${target.holdKey}`;
      return { kind: entry.kind, waitMs: wakes.of(sleeper, entry.waitMs) };
    }
  };

  return Object.freeze({
    refresh,
    standing: (channel: Channel) => places.standing(channel, LIMITS.deliverySoonMs),
    enter: async (target: Target): Promise<Permit> => {
      const key = keyOf(target);
      const isProven = (samples.get(key) ?? NO_SAMPLES).good > 0;
      const isSlow = !isProven || calls.hasOld(target.channel, key);
      if ((isSlow && calls.areHalfOld(target.channel)) || !shares.take(target)) {
        const waitMs = LIMITS.deliveryShareWaitMs * (1 + random());
        return { kind: 'busy', waitMs: Math.ceil(waitMs) };
      }
      let isInside = false;
      try {
        const lateMs = await tenantWaitMs(breakers, key, target);
        if (lateMs > 0) return { kind: 'busy', waitMs: Math.ceil(lateMs * (1 + random())) };
        const entered = await enter(target);
        isInside = entered.kind === 'go';
        return entered;
      } finally {
        if (!isInside) shares.giveBack(target);
      }
    },
  });
}

/** A tenant's own rate at a provider, counted like that of all; 0: it may go on. */
async function tenantWaitMs(breakers: Breakers, key: string, target: Target): Promise<number> {
  const { tenantRatePerSecond: rate } = target.policy;
  if (rate === 0) return 0;
  const entry = await breakers.enter(`${key}/of:${target.tenantId}`, rate);
  return entry.kind === 'throttled' ? Math.max(1, entry.waitMs) : 0;
}

const NO_SAMPLES: Samples = { good: 0, bad: 0 };

/** Who asked for a wait has it; who only says that it is too much gets a moment. */
function holdMsOf(outcome: SendOutcome, { channel, holdMsMax }: Target): number {
  const askedMs = 'retryAfterMs' in outcome ? (outcome.retryAfterMs ?? 0) : 0;
  if (askedMs > 0) return Math.min(askedMs, holdMsMax);
  const isOwn = channel === 'webhook'; // what others are told by their mail server says nothing of all
  return outcome.kind === 'throttled' && isOwn ? LIMITS.throttleHoldMs : 0;
}

interface Shares {
  take(target: Target): boolean;
  giveBack(target: Target): void;
}

/** What each tenant has under way or in a line on each channel, in this process. */
function createShares(): Shares {
  const taken = new Map<string, number>();
  const keyOf = ({ channel, tenantId }: Target): string => `${channel}/${tenantId}`;
  return {
    take: (target) => {
      const count = taken.get(keyOf(target)) ?? 0;
      if (count >= target.policy.tenantShareMax) return false;
      taken.set(keyOf(target), count + 1);
      return true;
    },
    giveBack: (target) => {
      const left = (taken.get(keyOf(target)) ?? 1) - 1;
      if (left > 0) taken.set(keyOf(target), left);
      else taken.delete(keyOf(target));
    },
  };
}
