import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BREAKER,
  type BreakerState,
  CLOSED,
  admit,
  record,
  roomOf,
  samplesOf,
} from '../../../../../core/notifications/admission/breaker.ts';
import { check } from '../../../../support/property.ts';

const BAD = { isGood: false, isProbe: false };
const GOOD = { isGood: true, isProbe: false };

function after(reports: readonly { isGood: boolean; isProbe: boolean }[], nowMs = 0): BreakerState {
  return reports.reduce<BreakerState>((state, report) => record(state, report, { nowMs }), CLOSED);
}

describe('a circuit breaker', () => {
  it('opens at the tenth of ten failures, for 30 s', () => {
    expect(after(Array.from({ length: 9 }, () => BAD)).phase).toBe('closed');
    expect(after(Array.from({ length: 10 }, () => BAD))).toMatchObject({
      phase: 'open',
      untilMs: 30_000,
      trips: 1,
    });
  });

  it('opens at half of the calls of a minute, and not below', () => {
    const half = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? GOOD : BAD));
    expect(after(half.slice(0, 9)).phase).toBe('closed');
    expect(after(half).phase).toBe('open');
    expect(after([...Array.from({ length: 11 }, () => GOOD), ...half.slice(0, 18)]).phase).toBe(
      'closed',
    );
  });

  it('forgets what is older than a minute', () => {
    const state = after(Array.from({ length: 9 }, () => BAD));
    expect(samplesOf(state, 59_000)).toEqual({ good: 0, bad: 9 });
    expect(samplesOf(state, 60_000)).toEqual({ good: 0, bad: 0 });
    expect(record(state, BAD, { nowMs: 60_000 }).phase).toBe('closed');
  });

  it('lets one probe through, and doubles its time with every one that fails, up to ten minutes', () => {
    let state = after(Array.from({ length: 10 }, () => BAD));
    const open: number[] = [];
    let nowMs = 0;
    for (let trip = 0; trip < 7; trip += 1) {
      open.push(state.untilMs - nowMs);
      nowMs = state.untilMs;
      const probe = admit(state, nowMs);
      expect(probe.result).toEqual({ kind: 'go', isProbe: true });
      expect(admit(probe.state, nowMs).result).toMatchObject({ kind: 'open' });
      state = record(probe.state, { isGood: false, isProbe: true }, { nowMs });
    }
    expect(open).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it('closes with the first probe that succeeds, and begins anew', () => {
    const opened = after(Array.from({ length: 10 }, () => BAD));
    const probing = admit(opened, 30_000).state;
    const late = record(probing, BAD, { nowMs: 30_001 });
    expect(late).toEqual(probing); // it went out before the breaker opened
    expect(record(probing, { isGood: true, isProbe: true }, { nowMs: 30_002 })).toEqual(CLOSED);
  });

  it('sends another probe when one is lost', () => {
    const probing = admit(after(Array.from({ length: 10 }, () => BAD)), 30_000).state;
    expect(admit(probing, 30_000 + BREAKER.probeMs - 1).result.kind).toBe('open');
    expect(admit(probing, 30_000 + BREAKER.probeMs).result).toEqual({ kind: 'go', isProbe: true });
  });

  it('has room for no more calls than could open it, and for more with every success', () => {
    expect(roomOf({ good: 0, bad: 0 }, 32)).toBe(10);
    expect(roomOf({ good: 0, bad: 9 }, 32)).toBe(1);
    expect(roomOf({ good: 25, bad: 5 }, 32)).toBe(20);
    expect(roomOf({ good: 900, bad: 5 }, 32)).toBe(32);
  });

  it('is closed after a failure only while too few have failed, whatever happened before', () => {
    const call = fc.record({ isGood: fc.boolean(), waitMs: fc.nat({ max: 40_000 }) });
    check(
      'breaker',
      fc.property(fc.array(call, { maxLength: 200 }), (calls) => {
        let state: BreakerState = CLOSED;
        let nowMs = 0;
        for (const { isGood, waitMs } of calls) {
          nowMs += waitMs;
          const { state: entered, result } = admit(state, nowMs);
          state = entered;
          if (result.kind === 'open') {
            expect(result.untilMs).toBeGreaterThan(nowMs);
            continue;
          }
          state = record(state, { isGood, isProbe: result.isProbe }, { nowMs });
          const { good, bad } = samplesOf(state, nowMs);
          const isTooMany = good + bad >= 10 && bad * 2 >= good + bad;
          expect(state.phase === 'closed' && !isGood && isTooMany).toBe(false);
        }
      }),
    );
  });
});
