import { PAYMENT_BREAKER as DEFAULTS } from '../config/breakers.ts';
import { LIMITS } from '../config/limits.ts';
import { type SagaShares, sagaShares } from '../config/saga-shares.ts';
import type { Breakers, Hold, Samples } from '../core/notifications/admission/breaker-cache.ts';
import { BREAKER, type BreakerTuning, roomOf } from '../core/notifications/admission/breaker.ts';
import { createSlots } from '../core/notifications/admission/slots.ts';
import { type LiveSettings, fixedSettings } from '../core/service-config/live-settings.ts';
import type {
  PaymentAdmission,
  PaymentOutcome,
  PaymentPermit,
} from '../core/operations/services.ts';
import {
  type AdmissionTerms,
  admissionTermsOf,
  tenantRates,
  tenantWaitMs,
} from './payment-settings.ts';
import { SERVICE_CONFIG_LIMITS } from '../config/service-config-limits.ts';
import { NO_PAUSES, type Pauses } from '../core/service-config/pause.ts';
import type { Platform } from './platform.ts';

/** Of payment providers: a customer is waiting, so one that is well again is found out soon. */
export const PAYMENT_BREAKER: BreakerTuning = { ...BREAKER, ...DEFAULTS };

interface PaymentAdmissionDeps {
  readonly platform: Pick<Platform, 'clock' | 'random' | 'logger' | 'metrics'>;
  readonly breakers: Breakers;
  /** By default those of as many sagas as LIMITS has; asked anew each time. */
  readonly shares?: () => SagaShares;
  /** By default as built in. */
  readonly settings?: LiveSettings;
  /** By default there are none. */
  readonly pauses?: Pauses;
}

const CHANNEL = 'payment';
/** A hold is on all calls to the provider. */
export const PAYMENT_HOLD = 'all';
const NO_SAMPLES: Samples = { good: 0, bad: 0 };

/**
 * One breaker a provider, shared by all processes, and so is the time for which it has asked to be
 * left alone; so many calls at once in this process, and a short line.
 */
export function createPaymentAdmission({
  platform,
  breakers,
  shares = () => sagaShares(LIMITS.sagaConcurrency),
  settings = fixedSettings(),
  pauses = NO_PAUSES,
}: PaymentAdmissionDeps): PaymentAdmission {
  const { clock, random, logger, metrics } = platform;
  const terms = settings.view(admissionTermsOf);
  const tenants = settings.view((all, tenant) => tenantRates(all, tenant));
  const places = createSlots({
    ...{ clock, random },
    lineMax: () => shares().lineMax,
    linesMax: () => shares().linesMax,
  });
  const roomAt = (provider: string): number => {
    const { inFlightMax, samplesMin } = terms.now(provider);
    const max = inFlightMax === 0 ? shares().inFlightMax : Math.min(inFlightMax, shares().mostMax);
    return roomOf(samples.get(provider) ?? NO_SAMPLES, max, samplesMin);
  };
  // By provider: a closed set.
  const samples = new Map<string, Samples>();
  const open = new Set<string>();

  const noteOpen = (provider: string, openMs: number): void => {
    const isOpen = openMs > 0;
    metrics.paymentBreakerOpen.set({ provider }, isOpen ? 1 : 0);
    if (isOpen === open.has(provider)) return;
    if (isOpen) open.add(provider);
    else open.delete(provider);
    logger.warn(
      { provider, openMs },
      isOpen ? 'payments.breaker.opened' : 'payments.breaker.closed',
    );
  };
  const permitOf = (provider: string, isProbe: boolean): PaymentPermit => {
    const sinceMs = clock.monotonicMs();
    metrics.paymentCallsInFlight.inc({ provider });
    return {
      kind: 'go',
      cancel: () => {
        metrics.paymentCallsInFlight.dec({ provider });
        places.giveBack(provider);
      },
      report: async (outcome) => {
        const { kind } = outcome;
        metrics.paymentCallsInFlight.dec({ provider });
        metrics.paymentCalls.inc({ provider, outcome: kind });
        metrics.paymentCallSeconds.observe({ provider }, (clock.monotonicMs() - sinceMs) / 1_000);
        const report = { isGood: kind !== 'failed', isProbe };
        const exit = await breakers.leave(
          paymentKeyOf(provider),
          report,
          holdOf(outcome, terms.now(provider)),
        );
        // Together: its place is free only once its outcome counts.
        samples.set(provider, exit.samples);
        places.giveBack(provider);
        noteOpen(provider, exit.openMs);
      },
    };
  };

  return Object.freeze({
    request: async (provider: string, tenantId = ''): Promise<PaymentPermit> => {
      if (pauses.on({ provider, tenant: tenantId }) !== undefined) {
        return { kind: 'paused', waitMs: SERVICE_CONFIG_LIMITS.pausedStepMs };
      }
      const nowMs = clock.monotonicMs();
      const { placeWaitMs, ratePerSecond } = terms.now(provider);
      const ownKey = `${paymentKeyOf(provider)}/of:${tenantId}`;
      const lateMs = await tenantWaitMs(breakers, ownKey, tenants.of(tenantId)(provider));
      if (lateMs > 0) return { kind: 'kept', waitMs: lateMs, isBusy: true };
      const turn = await places.take({
        key: provider,
        channel: CHANNEL,
        room: () => roomAt(provider),
        paceMsMin: ratePerSecond > 0 ? 1_000 / ratePerSecond : 0,
        deadlineMs: nowMs + placeWaitMs,
        isFirst: false,
      });
      if (turn.kind === 'busy') return { kind: 'kept', waitMs: turn.waitMs, isBusy: true };
      const entry = await breakers.enter(paymentKeyOf(provider), ratePerSecond, PAYMENT_HOLD);
      places.proceed(provider);
      if (entry.kind === 'go') {
        samples.set(provider, entry.samples);
        return permitOf(provider, entry.isProbe);
      }
      places.giveBack(provider);
      if (entry.kind === 'open') noteOpen(provider, entry.waitMs);
      const isBusy = entry.kind === 'throttled';
      return { kind: 'kept', waitMs: entry.waitMs, ...(isBusy && { isBusy }) };
    },
  } satisfies PaymentAdmission);
}

function holdOf(outcome: PaymentOutcome, { holdMsMax }: AdmissionTerms): Hold {
  const waitMs = outcome.kind === 'answered' ? 0 : (outcome.waitMs ?? 0);
  return { key: PAYMENT_HOLD, ms: Math.min(waitMs, holdMsMax) };
}

/** Of its breaker. */
export function paymentKeyOf(provider: string): string {
  return `${CHANNEL}/${provider}`;
}
