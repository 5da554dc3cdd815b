import { describe, expect, it } from 'vitest';
import { endMsOf, whenOver } from '../../../bench/lib/ending.ts';

describe('the end of a measurement', () => {
  it('is when the last of it was stored, which lies between two looks', () => {
    expect(endMsOf({ openMs: 1_000, overMs: 1_500, storedMs: 1_210 })).toBe(1_210);
  });

  it('is not before a look that found something open, whatever a clock says', () => {
    expect(endMsOf({ openMs: 1_000, overMs: 1_500, storedMs: 300 })).toBe(1_000);
  });

  it('is not after the look that found nothing', () => {
    expect(endMsOf({ openMs: 1_000, overMs: 1_500, storedMs: 9_000 })).toBe(1_500);
    expect(endMsOf({ openMs: 1_000, overMs: 1_500, storedMs: undefined })).toBe(1_500);
  });

  it('is waited for with two looks a second at most', async () => {
    const looks: number[] = [];
    const over = await whenOver({
      what: 'three looks',
      isOver: async () => Promise.resolve(looks.push(performance.now()) === 3),
    });
    const pauses = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
    expect(pauses).toHaveLength(2);
    expect(Math.min(...pauses)).toBeGreaterThan(450);
    expect(over.atMs(undefined)).toBeGreaterThanOrEqual(looks[2] ?? Number.NaN);
  });

  it('that does not come is said', async () => {
    const never = { what: 'a thing', isOver: async () => Promise.resolve(false), withinMs: 1 };
    await expect(whenOver(never)).rejects.toThrow('a thing: not within 1 ms');
  });
});
