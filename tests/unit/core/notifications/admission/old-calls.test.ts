import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../../config/limits.ts';
import { createOldCalls } from '../../../../../core/notifications/admission/old-calls.ts';

describe('calls that do not come back', () => {
  it('have half of the places at the most, however many black holes there are', () => {
    const time = { ms: 0 };
    const calls = createOldCalls({ monotonicMs: () => time.ms });
    const half = LIMITS.deliveryConcurrency / 2;
    const ends = Array.from({ length: half }, (_, n) =>
      calls.begin('webhook', `hole-${String(n)}`),
    );
    time.ms += LIMITS.deliveryOldMs;
    calls.begin('webhook', 'well');
    expect(calls.areHalfOld('webhook')).toBe(false); // not yet
    time.ms += LIMITS.deliveryOldCountMs;
    expect(calls.areHalfOld('webhook')).toBe(true);
    expect(calls.areHalfOld('sms')).toBe(false);
    expect(calls.hasOld('webhook', 'hole-0')).toBe(true);
    expect(calls.hasOld('webhook', 'well')).toBe(false);
    ends[0]?.();
    time.ms += LIMITS.deliveryOldCountMs;
    expect(calls.areHalfOld('webhook')).toBe(false);
    expect(calls.hasOld('webhook', 'hole-0')).toBe(false);
  });
});
