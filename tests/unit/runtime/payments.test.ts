import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { createLocalBreakers } from '../../../core/notifications/admission/breaker-cache.ts';
import { PAYMENT_BREAKER, createPaymentAdmission } from '../../../runtime/payments.ts';
import type { PaymentOutcome, PaymentPermit } from '../../../core/operations/services.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';

const FAILED: PaymentOutcome = { kind: 'failed' };
const ANSWERED: PaymentOutcome = { kind: 'answered' };

/** The admissions of processes that share their breakers, on a clock that is moved by hand. */
function open() {
  const time = { ms: 1_000_000 };
  const clock = { ...systemClock, now: () => time.ms, monotonicMs: () => time.ms };
  const logger = createLogger({ level: 'silent', service: 'test' });
  const metrics = createMetrics();
  const breakers = createLocalBreakers(clock, PAYMENT_BREAKER);
  const platform = { clock, random: () => 0.5, logger, metrics };
  const admission = createPaymentAdmission({ platform, breakers });
  const another = createPaymentAdmission({ platform, breakers });
  const callBy =
    (by: typeof admission) =>
    async (outcome: PaymentOutcome, name = 'http'): Promise<PaymentPermit> => {
      const permit = await by.request(name);
      if (permit.kind === 'go') await permit.report(outcome);
      return permit;
    };
  const call = callBy(admission);
  const trip = async (): Promise<void> => {
    for (let calls = 0; calls < PAYMENT_BREAKER.samplesMin; calls += 1) await call(FAILED);
  };
  return { time, admission, call, callElsewhere: callBy(another), trip, metrics };
}

describe('the breaker of a payment provider', () => {
  it('keeps calls to it back once it is down, and none to another one', async () => {
    const { call, trip } = open();
    await trip();
    expect(await call(ANSWERED)).toEqual({ kind: 'kept', waitMs: PAYMENT_BREAKER.openMs });
    expect(await call(ANSWERED, 'sandbox')).toMatchObject({ kind: 'go' });
  });

  it('is half open after its time: one call goes through, and closes it when it is answered', async () => {
    const { time, admission, call, trip } = open();
    await trip();
    time.ms += PAYMENT_BREAKER.openMs;
    const probe = await admission.request('http');
    expect(probe).toMatchObject({ kind: 'go' });
    expect(await call(ANSWERED)).toEqual({ kind: 'kept', waitMs: PAYMENT_BREAKER.recheckMs });
    if (probe.kind === 'go') await probe.report(ANSWERED);
    for (let calls = 0; calls < 5; calls += 1) {
      expect(await call(ANSWERED)).toMatchObject({ kind: 'go' });
    }
  });

  it('opens again for longer when that call fails, up to a minute', async () => {
    const { time, call, trip } = open();
    await trip();
    const waits: number[] = [];
    for (let trips = 0; trips < 6; trips += 1) {
      const kept = await call(ANSWERED);
      const waitMs = kept.kind === 'kept' ? kept.waitMs : 0;
      waits.push(waitMs);
      time.ms += waitMs;
      expect(await call(FAILED)).toMatchObject({ kind: 'go' });
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('does not open for a provider that asks for patience, which is left alone for as long', async () => {
    const { time, call, metrics } = open();
    for (let calls = 0; calls < 20; calls += 1) {
      expect(await call({ kind: 'throttled', waitMs: 3_000 })).toMatchObject({ kind: 'go' });
      time.ms += 1_000;
      expect(await call(ANSWERED)).toEqual({ kind: 'kept', waitMs: 2_000 });
      time.ms += 2_000;
    }
    const open_ = await metrics.paymentBreakerOpen.get();
    expect(open_.values.filter(({ value }) => value !== 0)).toEqual([]);
  });

  it('leaves one that asks for patience alone in every process, not only where it was said', async () => {
    const { time, call, callElsewhere } = open();
    await call({ kind: 'throttled', waitMs: 3_000 });
    expect(await callElsewhere(ANSWERED)).toEqual({ kind: 'kept', waitMs: 3_000 });
    expect(await callElsewhere(ANSWERED, 'sandbox')).toMatchObject({ kind: 'go' });
    time.ms += 3_000;
    expect(await callElsewhere(ANSWERED)).toMatchObject({ kind: 'go' });
  });

  it('holds others back no longer than a minute at the word of one answer', async () => {
    const { call } = open();
    await call({ kind: 'throttled', waitMs: 3_600_000 });
    expect(await call(ANSWERED)).toEqual({ kind: 'kept', waitMs: LIMITS.paymentHoldMsMax });
  });
});

describe('the places at a payment provider', () => {
  it('are so few that one that hangs leaves the pool to others', async () => {
    const { admission, call } = open();
    for (let calls = 0; calls < 2 * LIMITS.paymentInFlightMax; calls += 1) await call(ANSWERED);
    const entered: PaymentPermit[] = [];
    const all = Array.from({ length: LIMITS.sagaConcurrency }, async () => {
      entered.push(await admission.request('http'));
    });
    // Some wait in the line; the others are kept back at once.
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    const going = entered.filter(({ kind }) => kind === 'go').length;
    const kept = entered.filter(({ kind }) => kind === 'kept').length;
    expect(going).toBe(LIMITS.paymentInFlightMax);
    expect(kept).toBeGreaterThanOrEqual(
      LIMITS.sagaConcurrency - LIMITS.paymentInFlightMax - LIMITS.paymentLineMax,
    );
    expect(await call(ANSWERED, 'sandbox')).toMatchObject({ kind: 'go' });
    await Promise.all(all);
  });
});
