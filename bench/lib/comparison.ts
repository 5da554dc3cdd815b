import type { Sample } from './measure.ts';
import { ALONE } from './path-scenarios.ts';
import { type Samples, fixed, formatTable } from './report.ts';
import { SAGAS } from './saga-scenarios.ts';
import { median } from './stats.ts';
import { WEBHOOKS } from './webhook-scenarios.ts';

/** What another commit is compared by: a rate, the CPU per operation of one, or the p50 of a wait. */
type Aspect = 'rate' | 'Node' | 'mongod' | 'Redis' | `p50 ${string}`;

interface Demand {
  readonly of: string;
  readonly aspect: Aspect;
  /** Of a rate at least, of anything else at most: so many times what it was. */
  readonly bound: number;
}

/** What the work on sagas and deliveries is held to, against the commit before it. */
export const DEMANDS: readonly Demand[] = [
  { of: SAGAS, aspect: 'rate', bound: 2.5 },
  { of: WEBHOOKS, aspect: 'Node', bound: 0.3 },
  { of: WEBHOOKS, aspect: 'mongod', bound: 0.3 },
  { of: WEBHOOKS, aspect: 'Redis', bound: 0.3 },
  { of: ALONE, aspect: 'p50 settled', bound: 0.7 },
  { of: ALONE, aspect: 'p50 told', bound: 0.7 },
  { of: ALONE, aspect: 'p50 deposited', bound: 0.5 },
];

export interface Comparison {
  readonly of: string;
  readonly aspect: Aspect;
  readonly before: number;
  readonly now: number;
  /** So many times what it was, by the medians. */
  readonly factor: number;
  readonly perRound: readonly number[];
  readonly bound: number | undefined;
  readonly isMet: boolean | undefined;
}

/** Scenario by scenario, for all that both have measured. Pure. */
export function compare(
  before: Samples,
  now: Samples,
  demands: readonly Demand[] = DEMANDS,
): readonly Comparison[] {
  return Object.entries(now).flatMap(([of, samples]) => {
    const others = before[of] ?? [];
    return aspectsOf(samples).flatMap((aspect): Comparison[] => {
      const here = samples.map((sample) => valueOf(sample, aspect));
      const there = others.map((sample) => valueOf(sample, aspect));
      if (here.length === 0 || there.length === 0) return [];
      const factor = median(here) / median(there);
      const perRound = here.map((value, index) => value / (there[index] ?? Number.NaN));
      const demand = demands.find((one) => one.of === of && one.aspect === aspect);
      const bound = demand?.bound;
      const isMet =
        bound === undefined ? undefined : aspect === 'rate' ? factor >= bound : factor <= bound;
      return [
        { of, aspect, before: median(there), now: median(here), factor, perRound, bound, isMet },
      ];
    });
  });
}

function aspectsOf([first]: readonly Sample[]): readonly Aspect[] {
  const waits = Object.keys(first?.latencies ?? {}).map((name) => `p50 ${name}` as const);
  return waits.length > 0 ? waits : ['rate', 'Node', 'mongod', 'Redis'];
}

function valueOf({ perSecond, operations, cpu, latencies }: Sample, aspect: Aspect): number {
  switch (aspect) {
    case 'rate':
      return perSecond;
    case 'Node':
      return (cpu.node / operations) * 1e6;
    case 'mongod':
      return (cpu.mongod / operations) * 1e6;
    case 'Redis':
      return (cpu.redis / operations) * 1e6;
    default:
      return latencies?.[aspect.slice('p50 '.length)]?.p50 ?? Number.NaN;
  }
}

export function describeComparisons(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ of, aspect, before, now, factor, perRound, bound, isMet }) => [
    `${of}: ${nameOf(aspect)}`,
    fixed(before),
    fixed(now),
    `${fixed(factor, 2)}×`,
    perRound.map((one) => fixed(one, 2)).join(' '),
    bound === undefined ? '' : `${aspect === 'rate' ? '≥' : '≤'} ${String(bound)}×`,
    isMet === undefined ? '' : isMet ? 'met' : 'MISSED',
  ]);
  return formatTable([['', 'before', 'now', 'of before', 'rounds', 'target', ''], ...rows]);
}

function nameOf(aspect: Aspect): string {
  if (aspect === 'rate') return 'per second';
  return aspect.startsWith('p50') ? `${aspect}, ms` : `${aspect}, µs/op`;
}
