const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How each channel sends unless a setting says otherwise; `policies.ts` says what the words mean. */
export const CHANNEL_DEFAULTS = {
  email: {
    pausesMs: [30 * SECOND, 2 * MINUTE, 8 * MINUTE, 32 * MINUTE],
    jitter: 0.2,
    timeoutMs: 20 * SECOND,
    lifeMs: 72 * HOUR,
    isQuiet: false,
    ratePerSecond: 100,
    inFlightMax: 20,
  },
  sms: {
    pausesMs: [20 * SECOND, 2 * MINUTE],
    jitter: 0.2,
    timeoutMs: 15 * SECOND,
    lifeMs: 12 * HOUR,
    isQuiet: true,
    ratePerSecond: 20,
    inFlightMax: 20,
  },
  push: {
    pausesMs: [10 * SECOND, 40 * SECOND, 160 * SECOND, 640 * SECOND],
    jitter: 0.2,
    timeoutMs: 10 * SECOND,
    lifeMs: 24 * HOUR,
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
    isQuiet: false,
    ratePerSecond: 0,
    inFlightMax: 32,
  },
  realtime: {
    pausesMs: [],
    jitter: 0,
    timeoutMs: 5 * SECOND,
    lifeMs: MINUTE,
    isQuiet: false,
    ratePerSecond: 0,
    inFlightMax: 64,
  },
} as const;

export type ChannelName = keyof typeof CHANNEL_DEFAULTS;
export const CHANNEL_NAMES = [
  'email',
  'sms',
  'push',
  'webhook',
  'realtime',
] as const satisfies readonly ChannelName[];

type Defaults = (typeof CHANNEL_DEFAULTS)[ChannelName];

/** One of those numbers, by channel. */
export function byChannel<T>(pick: (of: Defaults) => T): Readonly<Record<ChannelName, T>> {
  const { email, sms, push, webhook, realtime } = CHANNEL_DEFAULTS;
  return {
    email: pick(email),
    sms: pick(sms),
    push: pick(push),
    webhook: pick(webhook),
    realtime: pick(realtime),
  };
}
