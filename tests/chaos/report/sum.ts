import type { Report } from './report.ts';
import { type Spread, quantileOf, sizeOf, sumSpreads } from './spread.ts';
import { grouped } from '../checker/rule.ts';

/** What is added up of a run: a part of its `report.json`. */
export type RunPart = Pick<
  Report,
  | 'accept'
  | 'counts'
  | 'faults'
  | 'judged'
  | 'load'
  | 'machine'
  | 'rest'
  | 'seed'
  | 'settings'
  | 'startedAt'
  | 'verdict'
  | 'versions'
>;

export interface Times {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface KindSum {
  readonly kind: string;
  readonly times: number;
  readonly strikes: number;
  readonly accept: Times;
  /** Of the runs whose calms are as long as a repair may take. */
  readonly healed: Times;
}

/** Between episodes, so that no later fault is in the way of what is to be measured. */
export const CALM_S_MIN = 45;

const COUNTED = ['operations', 'requests', 'answered', 'unknown', 'kills', 'webhooks'] as const;

/** Many runs as one. Pure. */
export function sumReports(runs: readonly RunPart[]) {
  const counts = Object.fromEntries(
    COUNTED.map((name) => [name, total(runs, ({ counts: own }) => own[name])]),
  ) as Record<(typeof COUNTED)[number], number>;
  const repeats = total(runs, ({ counts: own }) => own.repeats);
  const judgedNames = [...new Set(runs.flatMap(({ judged }) => Object.keys(judged)))];
  return {
    runs: runs.length,
    seeds: [...new Set(runs.map(({ seed }) => seed))],
    minutes: total(runs, ({ settings }) => settings.minutes),
    verdicts: countsOf(runs.map(({ verdict }) => verdict)),
    machines: countsOf(runs.map(({ machine }) => `${String(machine.cores)} × ${machine.model}`)),
    commits: countsOf(runs.map(({ versions }) => versions.commit)),
    load: {
      mean: mean(runs.map(({ load }) => load.mean)),
      max: Math.max(0, ...runs.map(({ load }) => load.max)),
    },
    counts: {
      ...counts,
      faults: total(runs, ({ faults }) => faults.reduce((sum, { times }) => sum + times, 0)),
    },
    duplicatesPerThousand:
      counts.webhooks === 0 ? 0 : Math.round((repeats / counts.webhooks) * 1_000),
    judged: Object.fromEntries(
      judgedNames.map((name) => [
        name,
        total(runs, ({ judged }) => (judged as Readonly<Record<string, number>>)[name] ?? 0),
      ]),
    ),
    accept: {
      calm: timesOf(runs.map(({ accept }) => accept.calm.spread)),
      all: timesOf(runs.map(({ accept }) => accept.all.spread)),
    },
    rest: timesOf(runs.map(({ rest }) => rest.spread)),
    kinds: sumKinds(runs),
  };
}

export type ReportSum = ReturnType<typeof sumReports>;

function sumKinds(runs: readonly RunPart[]): readonly KindSum[] {
  const all = runs.flatMap(({ faults, settings }) =>
    faults.map((one) => ({ ...one, isCalm: settings.calmS >= CALM_S_MIN })),
  );
  return [...grouped(all, ({ kind }) => kind)]
    .map(([kind, own]) => ({
      kind,
      times: total(own, ({ times }) => times),
      strikes: total(own, ({ strikes }) => strikes),
      accept: timesOf(own.map(({ accept }) => accept.spread)),
      healed: timesOf(own.filter(({ isCalm }) => isCalm).map(({ healed }) => healed.spread)),
    }))
    .sort((a, b) => a.kind.localeCompare(b.kind));
}

function timesOf(spreads: readonly Spread[]): Times {
  const spread = sumSpreads(spreads);
  return {
    count: sizeOf(spread),
    p50: quantileOf(spread, 0.5),
    p99: quantileOf(spread, 0.99),
    max: quantileOf(spread, 1),
  };
}

function total<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((sum, one) => sum + of(one), 0);
}

function mean(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return Math.round((total(values, (one) => one) / values.length) * 10) / 10;
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...grouped(names, (name) => name)].map(([n, own]) => [n, own.length]));
}
