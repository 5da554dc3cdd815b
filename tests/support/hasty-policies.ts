import { POLICIES, type Policies } from '../../core/notifications/policies.ts';
import { CHANNELS, type Channel } from '../../core/notifications/ports.ts';

/** Tried again within a fraction of a second. */
export function hastyPolicies(overrides: Partial<Policies[Channel]> = {}): Policies {
  const hasty = { jitter: 0, timeoutMs: 1_500, ...overrides };
  return Object.fromEntries(
    CHANNELS.map((channel) => {
      const pausesMs = POLICIES[channel].pausesMs.map(() => 50);
      return [channel, { ...POLICIES[channel], pausesMs, ...hasty }];
    }),
  ) as Record<Channel, Policies[Channel]>;
}
