import { describe, expect, it } from 'vitest';
import { formatRepairs, summariseRepairs } from '../../../scripts/dev/servers/repair-times.ts';

const line = (fault: string, tookMs: readonly number[]): string =>
  JSON.stringify({ fault, tookMs });

describe('the times to repair', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => (index + 1) * 100);
  const times = summariseRepairs(
    [line('W10 b', [0, 0]), line('W2 a', hundred), line('W10 b', [1_500])].join('\n'),
  );

  it('are put together per fault, without what needed no repair', () => {
    expect(times).toEqual([
      { fault: 'W2 a', operations: 100, p50Ms: 5_000, p99Ms: 9_900, maxMs: 10_000 },
      { fault: 'W10 b', operations: 1, p50Ms: 1_500, p99Ms: 1_500, maxMs: 1_500 },
    ]);
  });

  it('make a table that the formatter leaves alone', () => {
    expect(formatRepairs(times).split('\n')).toEqual([
      '| Fault | operations | p50 s | p99 s | max s |',
      '| ----- | ---------: | ----: | ----: | ----: |',
      '| W2 a  |        100 |   5.0 |   9.9 |  10.0 |',
      '| W10 b |          1 |   1.5 |   1.5 |   1.5 |',
    ]);
  });
});
