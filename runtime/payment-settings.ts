import { providersOf } from '../config/settings.ts';
import type { Breakers } from '../core/notifications/admission/breaker-cache.ts';
import { type TuningOf, paymentTunings } from '../core/notifications/admission/breaker-tunings.ts';
import type { PaymentProviders, PaymentTerms } from '../core/operations/services.ts';
import type { LiveSettings } from '../core/service-config/live-settings.ts';
import type { Settings } from '../core/service-config/settings.ts';

/** What the settings say of the way to one provider. */
export interface AdmissionTerms {
  readonly inFlightMax: number;
  readonly samplesMin: number;
  readonly placeWaitMs: number;
  readonly ratePerSecond: number;
  readonly holdMsMax: number;
}

export function admissionTermsOf(settings: Settings): (provider: string) => AdmissionTerms {
  const termsOf = (provider?: string): AdmissionTerms => {
    const scope = provider === undefined ? {} : { provider };
    return {
      inFlightMax: settings.read('payment.inFlightMax', scope),
      samplesMin: settings.read('payment.breaker.samplesMin', scope),
      placeWaitMs: settings.read('payment.placeWaitMs', scope),
      ratePerSecond: settings.read('payment.ratePerSecond', scope),
      holdMsMax: settings.read('payment.holdMsMax', scope),
    };
  };
  return byProvider(termsOf);
}

export function tenantRates(settings: Settings, tenant?: string): (provider: string) => number {
  const of = tenant === undefined ? {} : { tenant };
  return byProvider((provider) =>
    settings.read('payment.tenantRatePerSecond', provider === undefined ? of : { ...of, provider }),
  );
}

/** Worked out once for each that is set apart. */
function byProvider<T>(of: (provider?: string) => T): (provider: string) => T {
  const usual = of();
  const own = new Map(providersOf('payment.timeoutMs').map((name) => [name, of(name)]));
  return (provider) => own.get(provider) ?? usual;
}

/** A tenant's own rate, counted like that of all; 0: it may go on. */
export async function tenantWaitMs(breakers: Breakers, key: string, rate: number): Promise<number> {
  if (rate === 0) return 0;
  const entry = await breakers.enter(key, rate);
  return entry.kind === 'throttled' ? Math.max(1, entry.waitMs) : 0;
}

/** How breakers behave by now; also for whoever makes them. */
export function paymentTuningsOf(settings: LiveSettings): TuningOf {
  const tunings = settings.view((all) => paymentTunings(all));
  return (key) => tunings.now(key);
}

/** How a step that calls a provider is tried, for a tenant. */
export function paymentTermsOf(settings: LiveSettings): NonNullable<PaymentProviders['terms']> {
  const terms = settings.view((all, tenant) =>
    byProvider((provider): PaymentTerms => {
      const scope = {
        ...(tenant !== undefined && { tenant }),
        ...(provider !== undefined && { provider }),
      };
      return {
        timeoutMs: all.read('payment.timeoutMs', scope),
        patienceMs: all.read('payment.patienceMs', scope),
        retry: {
          attemptsMax: all.read('payment.attemptsMax', scope),
          baseMs: all.read('payment.retryBaseMs', scope),
          capMs: all.read('payment.retryCapMs', scope),
        },
      };
    }),
  );
  return (provider, tenantId) => terms.of(tenantId)(provider);
}
