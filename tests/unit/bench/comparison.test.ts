import { describe, expect, it } from 'vitest';
import { DEMANDS, compare, describeComparisons } from '../../../bench/lib/comparison.ts';
import type { Sample } from '../../../bench/lib/measure.ts';
import { scenariosOf } from '../../../bench/lib/scenarios.ts';

const cpu = { node: 1, load: 0, own: 0, mongod: 2, redis: 0.5, othersShare: 0 };

function sampleOf(perSecond: number, more: Partial<Sample> = {}): Sample {
  return { perSecond, operations: 1_000, cpu, ...more };
}

function factorOf(list: ReturnType<typeof compare>, aspect: string): number | undefined {
  return list.find((one) => one.aspect === aspect)?.factor;
}

describe('this checkout against another commit', () => {
  it('gives the medians of both, and how many times what it was', () => {
    const before = { thing: [100, 90, 400].map((rate) => sampleOf(rate)) };
    const now = { thing: [300, 50, 250].map((rate) => sampleOf(rate)) };
    const [rate] = compare(before, now, [{ of: 'thing', aspect: 'rate', bound: 2.5 }]);
    expect(rate).toMatchObject({ before: 100, now: 250, factor: 2.5, isMet: true });
    expect(rate?.perRound).toEqual([3, 50 / 90, 250 / 400]);
  });

  it('holds CPU to so much of what it was, by operation and not by run', () => {
    const before = { thing: [sampleOf(1)] };
    const half = { ...cpu, node: 1, mongod: 4 };
    const now = { thing: [sampleOf(1, { operations: 4_000, cpu: half })] };
    const demands = [
      { of: 'thing', aspect: 'Node', bound: 0.3 },
      { of: 'thing', aspect: 'mongod', bound: 0.3 },
    ] as const;
    const list = compare(before, now, demands);
    expect(factorOf(list, 'Node')).toBeCloseTo(0.25);
    expect(factorOf(list, 'mongod')).toBeCloseTo(0.5);
    expect(list.map(({ isMet }) => isMet)).toEqual([undefined, true, false, undefined]);
    expect(describeComparisons(list)).toContain('MISSED');
  });

  it('compares waits where a scenario has them, and not its rate', () => {
    const waits = (settled: number) => ({ latencies: { settled: { p50: settled, p99: 100 } } });
    const list = compare({ idle: [sampleOf(3, waits(40))] }, { idle: [sampleOf(3, waits(20))] });
    expect(list.map(({ aspect, factor }) => [aspect, factor])).toEqual([['p50 settled', 0.5]]);
  });

  it('says nothing of what only one of them has measured', () => {
    expect(compare({}, { thing: [sampleOf(1)] })).toEqual([]);
  });

  it('demands something of scenarios that there are', () => {
    const names = new Set(scenariosOf('half').map(({ name }) => name));
    expect(DEMANDS.map(({ of }) => of).filter((name) => !names.has(name))).toEqual([]);
  });
});
