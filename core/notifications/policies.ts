import { providersOf } from '../../config/settings.ts';
import type { View } from '../service-config/live-settings.ts';
import { BUILT_IN, type Settings } from '../service-config/settings.ts';
import type { Channel } from './ports.ts';

/** What may differ from provider to provider of a channel. */
interface ProviderPolicy {
  /** A provider that has not answered by then has failed. */
  readonly timeoutMs: number;
  /** Messages per second and provider, over all processes; 0: no limit of ours. */
  readonly ratePerSecond: number;
  /** The same of one tenant, within that. */
  readonly tenantRatePerSecond: number;
  /** Calls of one process to one provider (webhooks, Web Push: one host) at the same time. */
  readonly inFlightMax: number;
}

/** How a channel sends, tries again and gives up. */
export interface ChannelPolicy extends ProviderPolicy {
  /** The pause after each failed attempt; one attempt more than there are pauses. */
  readonly pausesMs: readonly number[];
  /** Share of a pause that it may be shorter or longer. */
  readonly jitter: number;
  /** What has not been sent by then is too late, however often it was put off. */
  readonly lifeMs: number;
  /** Never again once the provider may have taken it. */
  readonly isAtMostOnce: boolean;
  /** Waits for the end of the user's quiet hours. */
  readonly isQuiet: boolean;
  /** What one tenant has under way or in a line on the channel, in one process. */
  readonly tenantShareMax: number;
  /** Waits so long for a place before it is put back. */
  readonly placeWaitMs: number;
  /** The first pause after a throttle that says no time, doubled each time; the longest; how many. */
  readonly throttledMs: number;
  readonly throttledMsMax: number;
  readonly throttlesMax: number;
  /** Providers for which something else is set. */
  readonly providers: Readonly<Record<string, ProviderPolicy>>;
}

/** A promise of ours, so no setting: what an operator could switch off would not be one. */
const AT_MOST_ONCE: Readonly<Record<Channel, boolean>> = {
  email: false,
  sms: true,
  push: false,
  webhook: false,
  realtime: false,
};

export type Policies = Readonly<Record<Channel, ChannelPolicy>>;

/** How everything is sent, for a tenant or for whoever has nothing of its own. Pure. */
export function policiesOf(settings: Settings, tenant?: string): Policies {
  const policyOf = (channel: Channel): ChannelPolicy => {
    const scope = { channel, ...(tenant !== undefined && { tenant }) };
    const known = settings.providers.filter((one) => PROVIDERS.includes(one));
    const providers = known.map((provider): [string, ProviderPolicy] => [
      provider,
      providerPolicyOf(settings, { ...scope, provider }),
    ]);
    return {
      ...providerPolicyOf(settings, scope),
      pausesMs: settings.read('delivery.pausesMs', scope),
      jitter: settings.read('delivery.jitter', scope),
      lifeMs: settings.read('delivery.lifeMs', scope),
      isAtMostOnce: AT_MOST_ONCE[channel],
      isQuiet: settings.read('delivery.quietHours', scope),
      tenantShareMax: settings.read('delivery.tenantShareMax', scope),
      placeWaitMs: settings.read('delivery.placeWaitMs', scope),
      throttledMs: settings.read('delivery.throttledMs', scope),
      throttledMsMax: settings.read('delivery.throttledMsMax', scope),
      throttlesMax: settings.read('delivery.throttlesMax', scope),
      providers: Object.fromEntries(providers),
    };
  };
  return Object.freeze({
    email: policyOf('email'),
    sms: policyOf('sms'),
    push: policyOf('push'),
    webhook: policyOf('webhook'),
    realtime: policyOf('realtime'),
  });
}

const PROVIDERS = providersOf('delivery.timeoutMs');

type Scope = NonNullable<Parameters<Settings['read']>[1]>;

function providerPolicyOf(settings: Settings, scope: Scope): ProviderPolicy {
  return {
    timeoutMs: settings.read('delivery.timeoutMs', scope),
    ratePerSecond: settings.read('delivery.ratePerSecond', scope),
    tenantRatePerSecond: settings.read('delivery.tenantRatePerSecond', scope),
    inFlightMax: settings.read('delivery.inFlightMax', scope),
  };
}

/** What is built in. */
export const POLICIES: Policies = policiesOf(BUILT_IN);

/** The same for everybody, whatever is set. */
export function fixedPolicies(policies: Policies): View<Policies> {
  return { now: policies, of: () => policies };
}

/** With what is set for that provider. */
export function policyAt(policy: ChannelPolicy, provider: string): ChannelPolicy {
  const own = policy.providers[provider];
  return own === undefined ? policy : { ...policy, ...own };
}

export function attemptsMax({ pausesMs }: Pick<ChannelPolicy, 'pausesMs'>): number {
  return pausesMs.length + 1;
}
