import { providersOf } from '../../../config/settings.ts';
import type { Settings } from '../../service-config/settings.ts';
import { CHANNELS } from '../ports.ts';
import { BREAKER, type BreakerTuning } from './breaker.ts';

/** How a breaker behaves, by its key: `<channel>/<provider>`, then what tells hosts apart. */
export type TuningOf = (key: string) => BreakerTuning;

export const usualTuning: TuningOf = () => BREAKER;

/** As the settings say of the channel and the provider of a key. Read once a change. */
export function deliveryTunings(settings: Settings): TuningOf {
  const known = providersOf('delivery.breaker.openMs');
  const providers = settings.providers.filter((one) => known.includes(one));
  const byPlace = new Map<string, BreakerTuning>();
  for (const channel of CHANNELS) {
    byPlace.set(channel, tuningFor(settings, 'delivery', { channel }));
    for (const provider of providers) {
      const tuning = tuningFor(settings, 'delivery', { channel, provider });
      byPlace.set(`${channel}/${provider}`, tuning);
    }
  }
  return (key) => {
    const [channel = '', provider = ''] = key.split('/', 2);
    return byPlace.get(`${channel}/${provider}`) ?? byPlace.get(channel) ?? BREAKER;
  };
}

/** Of payment providers: their key is `payment/<provider>`. */
export function paymentTunings(settings: Settings): TuningOf {
  const byProvider = new Map(
    providersOf('payment.breaker.openMs').map((provider) => [
      provider,
      tuningFor(settings, 'payment', { provider }),
    ]),
  );
  const usual = tuningFor(settings, 'payment', {});
  return (key) => byProvider.get(key.split('/', 2)[1] ?? '') ?? usual;
}

function tuningFor(
  settings: Settings,
  area: 'delivery' | 'payment',
  scope: Parameters<Settings['read']>[1],
): BreakerTuning {
  const read = <N extends BreakerName>(name: N) =>
    settings.read(`${area}.breaker.${name}` as const, scope);
  return {
    buckets: BREAKER.buckets,
    windowMs: read('windowMs'),
    failureShare: read('failureShare'),
    samplesMin: read('samplesMin'),
    openMs: read('openMs'),
    openMsMax: read('openMsMax'),
    probeMs: read('probeMs'),
    recheckMs: read('recheckMs'),
  };
}

type BreakerName = Exclude<keyof BreakerTuning, 'buckets'>;
