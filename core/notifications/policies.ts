import { LIMITS } from '../../config/limits.ts';
import type { Channel } from './ports.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How a channel sends, tries again and gives up. */
export interface ChannelPolicy {
  /** The pause after each failed attempt; one attempt more than there are pauses. */
  readonly pausesMs: readonly number[];
  /** Share of a pause that it may be shorter or longer. */
  readonly jitter: number;
  /** A provider that has not answered by then has failed. */
  readonly timeoutMs: number;
  /** What has not been sent by then is too late, however often it was put off. */
  readonly lifeMs: number;
  /** Never again once the provider may have taken it. */
  readonly isAtMostOnce: boolean;
  /** Waits for the end of the user's quiet hours. */
  readonly isQuiet: boolean;
  /** Messages per second and provider, over all processes; 0: no limit of ours. */
  readonly ratePerSecond: number;
  /** Calls of one process to one provider (webhooks, Web Push: one host) at the same time. */
  readonly inFlightMax: number;
}

/** One row per channel. */
export const POLICIES = {
  email: {
    pausesMs: [30 * SECOND, 2 * MINUTE, 8 * MINUTE, 32 * MINUTE],
    jitter: 0.2,
    timeoutMs: 20 * SECOND,
    lifeMs: 72 * HOUR,
    isAtMostOnce: false,
    isQuiet: false,
    ratePerSecond: 100,
    inFlightMax: 20,
  },
  sms: {
    pausesMs: [20 * SECOND, 2 * MINUTE],
    jitter: 0.2,
    timeoutMs: 15 * SECOND,
    lifeMs: 12 * HOUR,
    isAtMostOnce: true,
    isQuiet: true,
    ratePerSecond: 20,
    inFlightMax: 20,
  },
  push: {
    pausesMs: [10 * SECOND, 40 * SECOND, 160 * SECOND, 640 * SECOND],
    jitter: 0.2,
    timeoutMs: 10 * SECOND,
    lifeMs: 24 * HOUR,
    isAtMostOnce: false,
    isQuiet: true,
    ratePerSecond: 500,
    inFlightMax: 50,
  },
  webhook: {
    // Eight attempts over about 24 hours.
    pausesMs: [
      5 * SECOND,
      MINUTE,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      6 * HOUR,
      15 * HOUR + 24 * MINUTE,
    ],
    jitter: 0.2,
    timeoutMs: 15 * SECOND,
    lifeMs: 72 * HOUR,
    isAtMostOnce: false,
    isQuiet: false,
    ratePerSecond: 0,
    inFlightMax: 32,
  },
  realtime: {
    pausesMs: [],
    jitter: 0,
    timeoutMs: 5 * SECOND,
    lifeMs: MINUTE,
    isAtMostOnce: false,
    isQuiet: false,
    ratePerSecond: 0,
    inFlightMax: 64,
  },
} as const satisfies Record<Channel, ChannelPolicy>;

export type Policies = Readonly<Record<Channel, ChannelPolicy>>;

type Changes = { readonly [C in Channel]?: Partial<ChannelPolicy> };

/**
 * What is built in, with what an installation has set.
 *
 * @throws Error when an attempt may outlive its lease.
 */
export function policiesWith(changes: Changes = {}): Policies {
  const policyOf = (channel: Channel): ChannelPolicy => {
    const policy = { ...POLICIES[channel], ...changes[channel] };
    if (policy.timeoutMs + LIMITS.deliveryMarginMs > LIMITS.deliveryLeaseMs) {
      throw new Error(`An attempt on ${channel} may outlive its lease`);
    }
    return policy;
  };
  return Object.freeze({
    email: policyOf('email'),
    sms: policyOf('sms'),
    push: policyOf('push'),
    webhook: policyOf('webhook'),
    realtime: policyOf('realtime'),
  });
}

policiesWith();

export function attemptsMax({ pausesMs }: ChannelPolicy): number {
  return pausesMs.length + 1;
}
