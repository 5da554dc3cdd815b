import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { jobIdOf, laneOf, userOrderingKey } from '../../../../core/operations/operation.ts';
import { check } from '../../../support/property.ts';

/**
 * Stored operations carry their lane: another answer for the same key would split its line in two.
 * Not to be changed without a migration.
 */
const VECTORS = [
  ['', 5],
  ['default|u:ann', 0],
  ['default|u:bob', 3],
  ['default|k:line-1', 6],
  ['acme|u:user-000123', 5],
  ['default|o:op_00000000000000000000000000000001', 4],
] as const;

describe('the lane of an ordering key', () => {
  it.each(VECTORS)('of %j never changes', (key, lane) => {
    expect(laneOf(key, 8)).toBe(lane);
  });

  it('is one of the lanes, for any text', () => {
    const lanesMax = fc.integer({ min: 1, max: 64 });
    const property = fc.property(fc.string({ unit: 'binary' }), lanesMax, (key, lanes) => {
      const lane = laneOf(key, lanes);
      expect(Number.isInteger(lane) && lane >= 0 && lane < lanes).toBe(true);
      expect(laneOf(key, lanes)).toBe(lane);
    });
    check('range', property);
  });

  it.each(['user-', 'u', '00000000-0000-7000-8000-00000000'])(
    'spreads users with similar names evenly: %s…',
    (prefix) => {
      const counts = Array.from({ length: LIMITS.lanes }, () => 0);
      const users = 16_000;
      for (let index = 0; index < users; index += 1) {
        const lane = laneOf(userOrderingKey('default', `${prefix}${index}`), LIMITS.lanes);
        counts[lane] = (counts[lane] ?? 0) + 1;
      }
      const fair = users / LIMITS.lanes;
      for (const count of counts) expect(Math.abs(count - fair) / fair).toBeLessThan(0.1);
    },
  );
});

describe('job ids', () => {
  it('differ by seq and hold no ":", which BullMQ forbids', () => {
    expect(jobIdOf('op_1', 2)).toBe('op_1.2');
    expect(userOrderingKey('acme', 'a:b')).toBe('acme|u:a:b');
  });
});
