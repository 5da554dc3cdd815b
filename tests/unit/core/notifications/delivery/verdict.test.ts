import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../../config/limits.ts';
import { CHANNELS } from '../../../../../core/notifications/ports.ts';
import { POLICIES, attemptsMax } from '../../../../../core/notifications/policies.ts';
import { verdictOf } from '../../../../../core/notifications/delivery/verdict.ts';

const FAULT = { kind: 'fault', code: 'refused', detail: 'x', mayHaveSent: false } as const;
const middle = () => 0.5;

describe('what becomes of a delivery after an attempt', () => {
  it.each(CHANNELS)('on %s: it ends after as many attempts as its policy allows', (channel) => {
    const policy = POLICIES[channel];
    const verdicts = Array.from({ length: attemptsMax(policy) }, (_, attemptsUsed) =>
      verdictOf(FAULT, { policy, attemptsUsed, random: middle }),
    );
    expect(
      verdicts.map((verdict) => ('delayMs' in verdict ? verdict.delayMs : verdict.kind)),
    ).toEqual([...policy.pausesMs, 'final']);
  });

  it('webhooks are tried eight times within 24 hours or so, give or take a fifth', () => {
    const { pausesMs, jitter } = POLICIES.webhook;
    const hours = pausesMs.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
    expect(pausesMs).toHaveLength(7);
    expect(hours).toBeCloseTo(24, 1);
    expect(jitter).toBe(0.2);
    const delays = [0, 1].map((edge) =>
      verdictOf(FAULT, { policy: POLICIES.webhook, attemptsUsed: 1, random: () => edge }),
    );
    expect(delays).toMatchObject([{ delayMs: 48_000 }, { delayMs: 72_000 }]);
  });

  it('what the other side asks for counts when it is later than our own schedule', () => {
    const verdict = (retryAfterMs: number) =>
      verdictOf(
        { ...FAULT, retryAfterMs },
        { policy: POLICIES.webhook, attemptsUsed: 0, random: middle },
      );
    expect(verdict(1_000)).toMatchObject({ kind: 'again', delayMs: 5_000 });
    expect(verdict(90_000)).toMatchObject({ kind: 'again', delayMs: 90_000 });
  });

  it('a throttled one comes later and uses nothing up', () => {
    const standing = { policy: POLICIES.email, attemptsUsed: 4, random: middle };
    expect(verdictOf({ kind: 'throttled', retryAfterMs: 7_000 }, standing)).toEqual({
      kind: 'later',
      delayMs: 7_000,
    });
    expect(verdictOf({ kind: 'throttled' }, standing)).toMatchObject({ kind: 'later' });
  });

  describe.each([
    ['says no time', undefined],
    ['says at once', 0],
    ['says a second', 1_000],
  ])('the other side throttles again and again and %s', (_how, retryAfterMs) => {
    const throttle = {
      kind: 'throttled' as const,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
    const verdict = (throttles: number) =>
      verdictOf(throttle, { policy: POLICIES.webhook, attemptsUsed: 0, throttles, random: middle });

    it('the waits grow, up to an hour', () => {
      const delays = Array.from({ length: 14 }, (_, throttles) => {
        const one = verdict(throttles);
        return 'delayMs' in one ? one.delayMs : 0;
      });
      const [first = 0] = delays;
      expect(first).toBeGreaterThanOrEqual(1_000);
      expect(delays).toEqual(delays.toSorted((a, b) => a - b));
      expect(delays.at(-1)).toBeGreaterThanOrEqual(3_600_000);
      expect(Math.max(...delays)).toBeLessThan(2 * 3_600_000);
    });

    it('and there is an end', () => {
      expect(verdict(LIMITS.throttlesMax - 2)).toMatchObject({ kind: 'later' });
      expect(verdict(LIMITS.throttlesMax - 1)).toMatchObject({
        kind: 'final',
        status: 'failed',
        reason: { code: 'throttled' },
      });
    });
  });

  it('a text message that may have been sent stays uncertain; a mail is sent again', () => {
    const maybe = { ...FAULT, mayHaveSent: true };
    const of = (channel: 'sms' | 'email') =>
      verdictOf(maybe, { policy: POLICIES[channel], attemptsUsed: 0, random: middle });
    expect(of('sms')).toMatchObject({ kind: 'final', status: 'uncertain' });
    expect(of('email')).toMatchObject({ kind: 'again' });
  });
});
