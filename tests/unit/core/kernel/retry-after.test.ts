import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { parseRetryAfter } from '../../../../core/kernel/retry-after.ts';

const nowMs = Date.parse('1994-11-06T08:49:37Z');

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['007', 7_000],
    ['0.4', 400],
    ['99999999999999999999', LIMITS.retryAfterMsMax],
  ])('in seconds: %s', (text, ms) => {
    expect(parseRetryAfter(text, { nowMs })).toBe(ms);
  });

  it.each([
    ['Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
    ['Sunday, 06-Nov-94 08:49:47 GMT', 10_000],
    ['Sun Nov  6 08:49:47 1994', 10_000],
    ['Wed Nov 16 08:49:47 1994', LIMITS.retryAfterMsMax],
    ['Sun, 06 Nov 1994 08:49:07 GMT', 0],
    ['Monday, 06-Nov-50 08:49:07 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', LIMITS.retryAfterMsMax],
  ])('as a date, by the clock that is given: %s', (text, ms) => {
    expect(parseRetryAfter(text, { nowMs })).toBe(ms);
  });

  it.each([null, undefined, '', '  ', '-3', '-0', '+5', '1e3', '0x10', 'soon', '3, 5', '3;q=1'])(
    'that says nothing counts as absent, not as now: %s',
    (text) => {
      expect(parseRetryAfter(text, { nowMs })).toBeUndefined();
    },
  );

  it.each([
    '1994-11',
    '1994-11-06T08:49:47Z',
    'Sun, 06 Nov 1994 08:49:47',
    'Sun, 06 Nov 1994 08:49:47 +0100',
    'Sun, 06 Nov 1994 99:49:47 GMT',
    'Thu, 31 Feb 1994 08:49:47 GMT',
    'Sun, 06 Foo 1994 08:49:47 GMT',
    'Infinity',
    'NaN',
  ])('that is no date of HTTP counts as absent: %s', (text) => {
    expect(parseRetryAfter(text, { nowMs })).toBeUndefined();
  });

  it('has the ceiling that is asked for', () => {
    expect(parseRetryAfter('3600', { nowMs, maxMs: 60_000 })).toBe(60_000);
  });

  it('of two digits of a year is the near one, in the past and ahead', () => {
    const now2090 = Date.parse('2090-01-01T00:00:00Z');
    const ms = parseRetryAfter('Sunday, 01-Jan-89 00:00:00 GMT', { nowMs: now2090 });
    expect(ms).toBe(0);
  });
});
