import { CHANNEL_NAMES } from '../../config/channel-defaults.ts';
import { type SettingName, providersOf } from '../../config/settings.ts';
import type { Problem } from './check-values.ts';
import { type ConfigScope, scopeKeyOf, scopeText } from './scope.ts';
import type { Settings } from './settings.ts';

interface PairRule {
  readonly names: readonly [SettingName, SettingName];
  readonly holds: (settings: Settings, scope: ConfigScope) => boolean;
  readonly says: string;
}

type NumberName = Exclude<SettingName, 'delivery.pausesMs' | 'delivery.quietHours'>;

const atMost = (low: NumberName, high: NumberName): PairRule => ({
  names: [low, high],
  holds: (settings, scope) => settings.read(low, scope) <= settings.read(high, scope),
  says: `must not exceed ${high}`,
});

/** What has to hold between two settings, for whomever it is. */
const RULES: readonly PairRule[] = [
  atMost('payment.retryBaseMs', 'payment.retryCapMs'),
  atMost('payment.breaker.openMs', 'payment.breaker.openMsMax'),
  atMost('payment.timeoutMs', 'payment.breaker.probeMs'),
  atMost('delivery.breaker.openMs', 'delivery.breaker.openMsMax'),
  atMost('delivery.timeoutMs', 'delivery.breaker.probeMs'),
  atMost('delivery.throttledMs', 'delivery.throttledMsMax'),
  atMost('delivery.readyMin', 'delivery.handMax'),
  atMost('delivery.lineMax', 'delivery.linesMax'),
  atMost('ingest.tenantBacklogMax', 'ingest.backlogMax'),
  {
    names: ['delivery.pausesMs', 'delivery.lifeMs'],
    holds: (settings, scope) => {
      const pauses = settings.read('delivery.pausesMs', scope).reduce((sum, ms) => sum + ms, 0);
      const longestMs = pauses * (1 + settings.read('delivery.jitter', scope));
      return longestMs <= settings.read('delivery.lifeMs', scope);
    },
    says: 'must end before delivery.lifeMs, jitter included: later attempts would never be made',
  },
  {
    names: ['payment.inFlightMax', 'saga.concurrency'],
    holds: (settings, scope) =>
      settings.read('payment.inFlightMax', scope) <= settings.read('saga.concurrency') / 4,
    says: 'must leave three quarters of saga.concurrency to others',
  },
];

/**
 * What contradicts itself at some places. Every place is looked at with each channel and each provider
 * that is set apart. Pure.
 */
export function pairProblems(
  settings: Settings,
  places: readonly ConfigScope[],
): readonly Problem[] {
  const found = new Map<string, Problem>();
  for (const place of places) {
    for (const rule of RULES) {
      for (const scope of within(settings, place, rule)) {
        const [name] = rule.names;
        if (found.has(name) || rule.holds(settings, scope)) continue;
        found.set(name, { name, detail: `${rule.says} (${valuesText(settings, scope, rule)})` });
      }
    }
  }
  return [...found.values()];
}

/** The scopes below a place that a rule distinguishes. */
function within(settings: Settings, place: ConfigScope, { names }: PairRule) {
  const [name] = names;
  const isDelivery = name.startsWith('delivery.');
  const channels = isDelivery && place.channel === undefined ? CHANNEL_NAMES : [place.channel];
  const known = settings.providers.filter((one) => providersOf(name).includes(one));
  const providers = place.provider === undefined ? [undefined, ...known] : [place.provider];
  const scopes = channels.flatMap((channel) =>
    providers.map((provider): ConfigScope => {
      const { tenant } = place;
      return {
        ...(tenant !== undefined && { tenant }),
        ...(provider !== undefined && { provider }),
        ...(channel !== undefined && { channel }),
      };
    }),
  );
  return new Map(scopes.map((scope) => [scopeKeyOf(scope), scope])).values();
}

function valuesText(settings: Settings, scope: ConfigScope, { names }: PairRule): string {
  const values = names.map((name) => `${name} = ${JSON.stringify(settings.read(name, scope))}`);
  return `${values.join(', ')} for ${scopeText(scope)}`;
}
