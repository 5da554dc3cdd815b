import type { Figure } from './options.ts';
import type { SettleScenario } from './settle-run.ts';

export interface NamedScenario extends Omit<SettleScenario, 'seed'> {
  readonly name: string;
  readonly figures: readonly Figure[];
}

const WALLETS = 10_000;

/** What is measured in every round, in this order, so that the sides alternate. */
export function settleScenarios(isQuick: boolean): readonly NamedScenario[] {
  const ours = { side: 'ours', transfers: isQuick ? 8_000 : 16_000, warmUp: 2_000 } as const;
  const baseline = { side: 'baseline', transfers: isQuick ? 800 : 1_600, warmUp: 300 } as const;
  const alike = { wallets: WALLETS, processes: 1, shape: 'uniform' } as const;
  return [
    { ...alike, ...baseline, name: 'baseline', figures: ['settlement', 'hot'] },
    { ...alike, ...ours, name: 'ours', figures: ['settlement', 'hot', 'scale'] },
    { ...alike, ...ours, name: 'ours, hot wallet', shape: 'hot', figures: ['hot'] },
    {
      ...{ ...alike, ...baseline, name: 'baseline, hot wallet', shape: 'hot', figures: ['hot'] },
      transfers: isQuick ? 150 : 300,
      warmUp: 50,
    },
    { ...alike, ...ours, name: 'ours, 2 processes', processes: 2, figures: ['scale'] },
    { ...alike, ...ours, name: 'ours, 3 processes', processes: 3, figures: ['scale'] },
  ];
}

export interface Target {
  readonly figure: Figure;
  readonly what: string;
  readonly of: string;
  readonly against: string;
  /** Undefined: only reported. */
  readonly atLeast: number | undefined;
}

export const TARGETS: readonly Target[] = [
  {
    figure: 'settlement',
    what: 'settlement against one transaction per job',
    of: 'ours',
    against: 'baseline',
    atLeast: 12,
  },
  {
    figure: 'hot',
    what: 'one hot wallet against uniform',
    of: 'ours, hot wallet',
    against: 'ours',
    atLeast: 0.8,
  },
  {
    figure: 'hot',
    what: 'the same for the baseline',
    of: 'baseline, hot wallet',
    against: 'baseline',
    atLeast: undefined,
  },
  {
    figure: 'scale',
    what: 'two processes against one',
    of: 'ours, 2 processes',
    against: 'ours',
    atLeast: 0.9,
  },
  {
    figure: 'scale',
    what: 'three processes against one',
    of: 'ours, 3 processes',
    against: 'ours',
    atLeast: 0.9,
  },
];
