import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { createLocalBuckets } from '../../../../core/access/local-buckets.ts';
import { laneOf, rateLimitText } from '../../../../core/access/rates.ts';
import { present } from '../../../../core/kernel/assert.ts';

const caller = { keyId: 'k', tenantId: 't' };

function open(quota: number, windowSeconds: number) {
  let nowMs = 0;
  const buckets = createLocalBuckets({ ...systemClock, monotonicMs: () => nowMs });
  const plan = { write: { tenant: { quota, windowSeconds } } };
  const lane = present(laneOf(caller, plan, 'write'), 'a lane');
  return {
    take: (tokens: number, isWhole = false) => buckets.take(lane, tokens, isWhole),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('a bucket', () => {
  it('gives its quota at once, then one by one as it fills up', () => {
    const { take, pass } = open(10, 5);
    expect(take(12)).toMatchObject({ granted: 10, levels: [{ left: 0, fullInSeconds: 5 }] });
    expect(take(1)).toMatchObject({ granted: 0, waitMs: 500 });
    pass(499);
    expect(take(1).granted).toBe(0);
    pass(1);
    expect(take(1).granted).toBe(1);
    pass(60_000);
    expect(take(20).granted).toBe(10);
  });

  it('gives all or none where they count together, and more than it holds as a debt', () => {
    const { take, pass } = open(10, 10);
    expect(take(4, true).granted).toBe(4);
    expect(take(7, true)).toMatchObject({ granted: 0, waitMs: 1_000 });
    expect(take(6, true).granted).toBe(6);
    pass(10_000);
    expect(take(25, true).granted).toBe(25);
    pass(15_999);
    expect(take(1).granted).toBe(0);
    pass(1);
    expect(take(1).granted).toBe(1);
  });

  it('never gives more than its quota and what has come since', () => {
    const steps = fc.array(
      fc.record({ ms: fc.integer({ min: 0, max: 3_000 }), tokens: fc.integer({ min: 1, max: 9 }) }),
      { maxLength: 60 },
    );
    const rates = fc.record({
      quota: fc.integer({ min: 1, max: 50 }),
      windowSeconds: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(rates, steps, ({ quota, windowSeconds }, all) => {
        const { take, pass } = open(quota, windowSeconds);
        let granted = 0;
        let passedMs = 0;
        for (const { ms, tokens } of all) {
          pass(ms);
          passedMs += ms;
          granted += take(tokens).granted;
          const most = quota + (passedMs * quota) / (windowSeconds * 1_000);
          expect(granted).toBeLessThanOrEqual(most + 1e-3);
        }
      }),
    );
  });
});

describe('the rates of a plan', () => {
  it('are of the tenant, of the key, or none, for reads and writes apart', () => {
    const rate = { quota: 5, windowSeconds: 1 };
    expect(laneOf(caller, undefined, 'write')).toBeUndefined();
    expect(laneOf(caller, { write: { key: rate } }, 'read')).toBeUndefined();
    const both = present(laneOf(caller, { read: { tenant: rate, key: rate } }, 'read'), 'a lane');
    expect(both.buckets.map(({ id }) => id)).toEqual(['read/t', 'read/t/k']);
    expect(both.policy).toBe('"tenant-read";q=5;w=1, "key-read";q=5;w=1');
    const levels = [
      { left: 3, fullInSeconds: 1 },
      { left: -4, fullInSeconds: 2 },
    ];
    expect(rateLimitText(both, levels)).toBe('"tenant-read";r=3;t=1, "key-read";r=0;t=2');
  });
});
