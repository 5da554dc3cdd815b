import type { Environment } from './environment.ts';
import type { CpuUse } from './cpu.ts';
import type { Target } from './scenarios.ts';
import { median } from './stats.ts';

/** One measurement of one scenario. */
export interface Sample {
  readonly perSecond: number;
  /** Operations that the CPU use is of. */
  readonly operations: number;
  readonly cpu: CpuUse;
}

export interface Judgement {
  readonly what: string;
  readonly ratio: number;
  /** Of each round by itself. */
  readonly perRound: readonly number[];
  readonly atLeast: number | undefined;
  readonly isMet: boolean | undefined;
}

const round = (value: number, digits = 0): string => value.toFixed(digits);

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

export function describeSamples(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const head = ['', 'per second', 'rounds', 'µs CPU/op: node', 'mongod', 'redis', 'others'];
  const rows = [...samples].map(([name, list]) => {
    const micros = (pick: (cpu: CpuUse) => number): string =>
      round(median(list.map(({ cpu, operations }) => (pick(cpu) / operations) * 1e6)));
    return [
      name,
      round(median(list.map(({ perSecond }) => perSecond))),
      list.map(({ perSecond }) => round(perSecond)).join(' '),
      micros(({ node }) => node),
      micros(({ mongod }) => mongod),
      micros(({ redis }) => redis),
      `${round(median(list.map(({ cpu }) => cpu.othersShare)) * 100)} %`,
    ];
  });
  return formatTable([head, ...rows]);
}

/** The ratio of the medians, for every target both sides of which were measured. */
export function judge(
  targets: readonly Target[],
  samples: ReadonlyMap<string, readonly Sample[]>,
): readonly Judgement[] {
  return targets.flatMap(({ what, of, against, atLeast }) => {
    const ours = samples.get(of)?.map(({ perSecond }) => perSecond) ?? [];
    const theirs = samples.get(against)?.map(({ perSecond }) => perSecond) ?? [];
    if (ours.length === 0 || theirs.length === 0) return [];
    const ratio = median(ours) / median(theirs);
    const perRound = ours.map((value, index) => value / (theirs[index] ?? Number.NaN));
    const isMet = atLeast === undefined ? undefined : ratio >= atLeast;
    return [{ what, ratio, perRound, atLeast, isMet }];
  });
}

export function describeJudgements(judgements: readonly Judgement[]): string {
  const verdict = ({ isMet }: Judgement): string =>
    isMet === undefined ? 'reported' : isMet ? 'met' : 'MISSED';
  const rows = judgements.map((one) => [
    one.what,
    `${round(one.ratio, 2)}×`,
    one.perRound.map((ratio) => round(ratio, 2)).join(' '),
    one.atLeast === undefined ? '' : `≥ ${String(one.atLeast)}×`,
    verdict(one),
  ]);
  return formatTable([['ratio of medians', '', 'rounds', 'target', ''], ...rows]);
}

export function describeHost(environment: Environment): string {
  const { cpu, cores, memoryGb, node, mongod, redis, packages, loadBefore } = environment;
  const list = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${cores} cores (${cpu}), ${memoryGb} GB, load ${loadBefore} before the start`,
    `Node ${node}, MongoDB ${mongod}, Redis ${redis}, ${list.join(', ')}`,
  ].join('\n');
}
