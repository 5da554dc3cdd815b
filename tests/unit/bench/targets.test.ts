import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../bench/lib/measure.ts';
import { UsageError, parseOptions } from '../../../bench/lib/options.ts';
import { judge } from '../../../bench/lib/report.ts';
import { TARGETS, scenariosOf } from '../../../bench/lib/scenarios.ts';
import { latencyOf } from '../../../bench/lib/stats.ts';

const cpu = { node: 1, load: 0, own: 0, mongod: 1, redis: 0, othersShare: 0 };
const sampleOf = (perSecond: number, more: Partial<Sample> = {}): Sample => ({
  ...{ perSecond, operations: 1_000, cpu },
  ...more,
});

describe('ratios of the benchmark', () => {
  it('are of scenarios that there are, each named once', () => {
    const names = scenariosOf('full').map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const missing = TARGETS.flatMap(({ of, against }) => [of, against]).filter(
      (name) => !names.includes(name),
    );
    expect(missing).toEqual([]);
    expect(new Set(TARGETS.map(({ what }) => what)).size).toBe(TARGETS.length);
  });

  it('have floors below their targets, for scenarios with a small size', () => {
    const floored = TARGETS.filter(({ floor }) => floor !== undefined);
    expect(floored.length).toBeGreaterThan(10);
    const low = floored.filter(({ floor = 0, atLeast = Infinity }) => floor >= atLeast);
    expect(low).toEqual([]);
    const small = new Set(scenariosOf('small').map(({ name }) => name));
    const hot = 'hot line, twice as long'; // only of the larger sizes
    const missing = floored.flatMap(({ of, against }) => [of, against]);
    const large = missing.filter((name) => !small.has(name) && name !== hot);
    expect(large.filter((name) => !name.includes('ingest'))).toEqual([]);
  });

  it('take what windows allow for the other side, where that is less than its rate', () => {
    const target = { figure: 'webhooks', what: 'slow', of: 'a', against: 'b' } as const;
    const slow = [sampleOf(450, { windowPerSecond: 500 })];
    const ratioTo = (rate: number): number | undefined =>
      judge([{ ...target, measure: 'window', atLeast: 0.9 }], { a: slow, b: [sampleOf(rate)] })[0]
        ?.ratio;
    expect(ratioTo(2_000)).toBeCloseTo(0.9);
    expect(ratioTo(300)).toBeCloseTo(1.5);
  });
});

describe('latencies', () => {
  it('are the time that half took at most, and the one that all but a hundredth did', () => {
    const times = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(latencyOf(times)).toEqual({ p50: 100, p99: 199 });
    expect(latencyOf([])).toEqual({ p50: Number.NaN, p99: Number.NaN });
  });
});

describe('options of the benchmark', () => {
  it('have a small size for what CI runs, and for nothing else', () => {
    const options = parseOptions(['--only', 'payments,webhooks,shapes', '--small', '--floors']);
    expect(options).toMatchObject({ size: 'small', floors: true });
    expect(() => parseOptions(['--only', 'payments,ingest', '--small'])).toThrow(UsageError);
    expect(() => parseOptions(['--small'])).toThrow(UsageError);
  });

  it('name the commit to compare with', () => {
    expect(parseOptions(['--against', 'main']).against).toBe('main');
    expect(parseOptions([])).toMatchObject({ against: undefined, ours: false });
  });
});
