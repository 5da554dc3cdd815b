import type { Size } from './options.ts';
import { type ReadKind } from './reads.ts';
import type { ReadScenario } from './read-run.ts';
import type { Target } from './targets.ts';

type Named = { readonly name: string; readonly kind: 'reads' } & ReadScenario & {
    readonly figures: readonly ['reads'];
  };

const WHAT: Readonly<Record<ReadKind, string>> = {
  wallet: 'a wallet',
  balance: 'a balance',
  wallets: "a user's wallets",
  operation: 'an operation',
};
const SIZES = {
  full: { ours: 30_000, baseline: 10_000, warmUp: 4_000, wallets: 10_000 },
  half: { ours: 15_000, baseline: 5_000, warmUp: 2_000, wallets: 10_000 },
  small: { ours: 4_000, baseline: 1_500, warmUp: 600, wallets: 2_000 },
} as const;

const plainName = (what: ReadKind): string => `Express and one find, ${WHAT[what]}`;
const oursName = (what: ReadKind): string => `ours, ${WHAT[what]}`;

const cachedName = (what: ReadKind): string => `ours, ${WHAT[what]}, cached`;
const isCached = (what: ReadKind): boolean => what === 'wallet' || what === 'balance';

/** Reads at 64 connections: a plain Express with one look-up, and ours, in turns. */
export function readScenarios(size: Size): readonly Named[] {
  const { ours, baseline, warmUp, wallets } = SIZES[size];
  const alike = { kind: 'reads', figures: ['reads'], connections: 64, warmUp, wallets } as const;
  const kinds = ['wallet', 'balance', 'wallets', 'operation'] as const;
  return kinds.flatMap((what): readonly Named[] => [
    {
      ...{ ...alike, name: plainName(what), side: 'baseline', what },
      ...{ query: '', requests: baseline },
    },
    { ...alike, name: oursName(what), side: 'ours', what, query: '', requests: ours },
    ...(isCached(what)
      ? [
          {
            ...({ ...alike, name: cachedName(what), side: 'ours', what } as const),
            ...{ query: '?consistency=cached', requests: ours },
          },
        ]
      : []),
  ]);
}

const AT_LEAST = 2.5;
const CACHED_AT_LEAST = 5;

export const READ_TARGETS: readonly Target[] = (
  ['wallet', 'balance', 'wallets', 'operation'] as const
).flatMap((what): readonly Target[] => {
  const alike = { figure: 'reads', of: oursName(what), against: plainName(what) } as const;
  const cached = { ...alike, of: cachedName(what), what: `reading ${WHAT[what]}, cached` };
  return [
    ...(isCached(what) ? [{ ...cached, atLeast: CACHED_AT_LEAST }] : []),
    { ...alike, what: `reading ${WHAT[what]}`, atLeast: AT_LEAST },
    { ...alike, what: `reading ${WHAT[what]}, by CPU`, atLeast: undefined, measure: 'cpu' },
  ];
});
