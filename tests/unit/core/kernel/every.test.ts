import { describe, expect, it } from 'vitest';
import { allOf, noneFails } from '../../../../core/kernel/every.ts';

const isEven = (one: number): boolean => one % 2 === 0;

describe('a check of a list', () => {
  it('that may decide is not true of nothing', () => {
    expect([[], [2], [2, 4], [2, 3], [3]].map((list) => allOf(list, isEven))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
  it('that says none fails is true of nothing, in so many words', () => {
    expect([[], [2, 4], [2, 3]].map((list) => noneFails(list, isEven))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
