import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FIELD_ERRORS_MAX, fieldErrors } from '../../../../core/kernel/field-errors.ts';

describe('what a schema found', () => {
  it('is not looked at beyond what is told of it, however many names are unknown', () => {
    const raw = Object.fromEntries(Array.from({ length: 80_000 }, (_, index) => [`k${index}`, 1]));
    const parsed = z.strictObject({}).safeParse(raw);
    const [issue] = parsed.error?.issues ?? [];
    if (issue?.code !== 'unrecognized_keys') throw new Error('the keys are known');
    let looked = 0;
    const keys = Object.assign([...issue.keys], {
      *[Symbol.iterator]() {
        for (const key of issue.keys) {
          looked += 1;
          yield key;
        }
      },
    });
    expect(fieldErrors([{ ...issue, keys }], raw)).toHaveLength(FIELD_ERRORS_MAX);
    expect(looked).toBe(FIELD_ERRORS_MAX + 1);
  });

  it('is told once for each place, the first of it', () => {
    const schema = z.string().min(3, 'is short').regex(/x/, 'has no x');
    const raw = { a: 'b', c: 'd' };
    const parsed = z.object({ a: schema, c: schema }).safeParse(raw);
    expect(fieldErrors(parsed.error?.issues ?? [], raw)).toEqual([
      { pointer: '/a', detail: 'is short' },
      { pointer: '/c', detail: 'is short' },
    ]);
  });
});
