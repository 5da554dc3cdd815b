import type { LatencyScenario } from './latency-run.ts';
import type { Size } from './options.ts';
import type { PathScenario } from './path-run.ts';
import type { Target } from './targets.ts';

type Named = { readonly name: string } & (
  | ({ readonly kind: 'path'; readonly figures: readonly ['path'] } & PathScenario)
  | ({ readonly kind: 'latency'; readonly figures: readonly ['latency'] } & LatencyScenario)
);

const NOBODY = 'whole path, nobody is told';
const ONE = 'whole path, one endpoint';
const THREE = 'whole path, three endpoints';
export const ALONE = 'alone on an idle stack';
const TENTH = 'at a tenth of the full rate';

/** From the request to the webhook, and how long that takes where nothing stands in line. */
export function pathScenarios(size: Size): readonly Named[] {
  const half = size === 'full' ? 1 : 0.5;
  const alike = { kind: 'path', figures: ['path'], connections: 256, wallets: 10_000 } as const;
  const waits = { kind: 'latency', figures: ['latency'] } as const;
  return [
    { ...alike, name: NOBODY, endpoints: 0, transfers: 12_000 * half, warmUp: 2_000 },
    { ...alike, name: ONE, endpoints: 1, transfers: 6_000 * half, warmUp: 300 },
    { ...alike, name: THREE, endpoints: 3, transfers: 3_000 * half, warmUp: 200 },
    { ...waits, name: ALONE, load: 'alone', requests: 60 * half },
    {
      ...{ ...waits, name: TENTH, requests: 1_200 * half },
      load: { transfersPerSecond: 100, depositsPerSecond: 10 },
    },
  ];
}

export const PATH_TARGETS: readonly Target[] = [
  {
    figure: 'path',
    what: 'received per second, one endpoint, against settled per second without one',
    of: ONE,
    against: NOBODY,
    atLeast: 0.6,
  },
  {
    figure: 'path',
    what: 'the same with three endpoints',
    of: THREE,
    against: NOBODY,
    atLeast: undefined,
  },
];
