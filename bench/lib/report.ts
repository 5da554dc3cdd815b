import type { Environment } from './environment.ts';
import type { CpuUse } from './cpu.ts';
import type { Sample } from './measure.ts';
import type { LatencyTarget } from './scenarios.ts';
import { median } from './stats.ts';
import { type Measure, type Target, againstOf, isTooBusy, measured, ratioOf } from './targets.ts';

export interface Judgement {
  readonly what: string;
  readonly of: string;
  readonly against: string;
  readonly ratio: number;
  /** Of each round by itself. */
  readonly perRound: readonly number[];
  readonly atLeast: number | undefined;
  readonly isMet: boolean | undefined;
}

export type Samples = Readonly<Record<string, readonly Sample[]>>;

export const fixed = (value: number, digits = 0): string => value.toFixed(digits);

/** Left-aligned first column, right-aligned numbers. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Microseconds of CPU per operation, the median of the rounds. */
export function microsOf(
  samples: readonly Sample[],
  who: Exclude<keyof CpuUse, 'othersShare'>,
): string {
  return fixed(median(samples.map(({ cpu, operations }) => (cpu[who] / operations) * 1e6)));
}

export function rateOf(samples: readonly Sample[], measure: Measure = 'rate'): string {
  const value = median(samples.map((sample) => measured(sample, measure)));
  if (Number.isNaN(value)) return '';
  return fixed(value, measure === 'looks' || value < 10 ? 1 : 0);
}

export function describeSamples(samples: Samples): string {
  const columns = ['node', 'mongod', 'redis', 'load'] as const;
  const head = ['', 'per second', 'rounds', 'p50 ms', 'p99 ms'];
  const rows = Object.entries(samples).map(([name, list]) => [
    name,
    rateOf(list),
    list.map(({ perSecond }) => fixed(perSecond)).join(' '),
    latencyOf(list, 'p50'),
    latencyOf(list, 'p99'),
    ...columns.map((who) => microsOf(list, who)),
    `${fixed(median(list.map(({ cpu }) => cpu.othersShare)) * 100)} %`,
    rateOf(list, 'looks'),
    rateOf(list, 'others'),
    rateOf(list, 'memory'),
  ]);
  const [first, ...others] = columns;
  return formatTable([
    [...head, `µs CPU/op: ${first}`, ...others, 'others', 'looks/op', 'others/s', 'peak MB'],
    ...rows,
  ]);
}

export function latencyOf(samples: readonly Sample[], which: 'p50' | 'p99'): string {
  const values = samples.flatMap(({ latencyMs }) =>
    latencyMs === undefined ? [] : [latencyMs[which]],
  );
  return values.length === 0 ? '' : fixed(median(values));
}

/** The ratio of the medians, for every target both sides of which were measured. */
export function judge(
  targets: readonly Target[],
  samples: Samples,
  by: 'target' | 'floor' = 'target',
): readonly Judgement[] {
  return targets.flatMap(({ what, of, against, measure, ...target }) => {
    const ours = samples[of]?.map((sample) => measured(sample, measure)) ?? [];
    const theirs = samples[against]?.map((sample) => measured(sample, measure)) ?? [];
    if (ours.length === 0 || theirs.length === 0) return [];
    const other = (value: number): number => againstOf(samples[of] ?? [], value, measure);
    const ratio = ratioOf(median(ours), other(median(theirs)), measure);
    const perRound = ours.map((value, index) =>
      ratioOf(value, other(theirs[index] ?? Number.NaN), measure),
    );
    const atLeast = by === 'floor' ? target.floor : target.atLeast;
    const isBusy = [of, against].some((name) => isTooBusy(samples[name] ?? [], measure));
    const isOpen = atLeast === undefined || (by === 'floor' && isBusy);
    const isMet = isOpen ? undefined : ratio >= atLeast;
    return [{ what, of, against, ratio, perRound, atLeast, isMet }];
  });
}

export function describeJudgements(judgements: readonly Judgement[]): string {
  const verdict = ({ isMet, atLeast }: Judgement): string =>
    isMet === undefined
      ? atLeast === undefined
        ? 'reported'
        : 'too busy'
      : isMet
        ? 'met'
        : 'MISSED';
  const rows = judgements.map((one) => [
    one.what,
    `${fixed(one.ratio, 2)}×`,
    one.perRound.map((ratio) => fixed(ratio, 2)).join(' '),
    one.atLeast === undefined ? '' : `≥ ${String(one.atLeast)}×`,
    verdict(one),
  ]);
  return formatTable([['ratio of medians', '', 'rounds', 'target', ''], ...rows]);
}

/** Times by what they are of, where a scenario has several. */
export function describeWaits(samples: Samples): string {
  const rows = waitsOf(samples).map(({ name, of, p50, p99, rounds }) => [
    `${name}: ${of}`,
    fixed(p50),
    rounds.map((value) => fixed(value)).join(' '),
    fixed(p99),
  ]);
  return rows.length === 0 ? '' : formatTable([['ms', 'p50', 'rounds', 'p99'], ...rows]);
}

interface Wait {
  readonly name: string;
  readonly of: string;
  readonly p50: number;
  readonly p99: number;
  /** Each round's p50. */
  readonly rounds: readonly number[];
}

export function waitsOf(samples: Samples): readonly Wait[] {
  return Object.entries(samples).flatMap(([name, list]) =>
    Object.keys(list[0]?.latencies ?? {}).map((of) => {
      const all = list.flatMap(({ latencies }) => latencies?.[of] ?? []);
      const rounds = all.map(({ p50 }) => p50);
      return { name, of, p50: median(rounds), p99: median(all.map(({ p99 }) => p99)), rounds };
    }),
  );
}

export function describeHost(environment: Environment): string {
  const { cpu, cores, memoryGb, node, mongod, redis, packages, loadBefore } = environment;
  const list = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${cores} cores (${cpu}), ${memoryGb} GB, load ${loadBefore} before the start`,
    `Node ${node}, MongoDB ${mongod}, Redis ${redis}, ${list.join(', ')}`,
  ].join('\n');
}

export interface LatencyJudgement extends LatencyTarget {
  readonly p99Ms: number;
  readonly perRound: readonly number[];
  readonly isMet: boolean;
}

export function judgeLatency(
  targets: readonly LatencyTarget[],
  samples: Samples,
): readonly LatencyJudgement[] {
  return targets.flatMap((target) => {
    const perRound = (samples[target.of] ?? []).flatMap(({ latencyMs }) => latencyMs?.p99 ?? []);
    if (perRound.length === 0) return [];
    const p99Ms = median(perRound);
    return [{ ...target, p99Ms, perRound, isMet: p99Ms <= target.p99MsMax }];
  });
}

export function describeLatencies(judgements: readonly LatencyJudgement[]): string {
  const rows = judgements.map((one) => [
    one.of,
    fixed(one.p99Ms),
    one.perRound.map((value) => fixed(value)).join(' '),
    `≤ ${one.p99MsMax}`,
    one.isMet ? 'met' : 'MISSED',
  ]);
  return formatTable([['p99 in ms', 'median', 'rounds', 'target', ''], ...rows]);
}
