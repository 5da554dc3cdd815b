import type { Size } from './options.ts';
import type { SagaScenario } from './saga-run.ts';
import type { Target } from './targets.ts';

type Named = { readonly name: string; readonly figures: readonly ['sagas'] } & {
  readonly kind: 'sagas';
} & SagaScenario;

export const SAGAS = 'ours, sagas of four steps, 2 processes';
const ALONE = 'the same, each journal entry alone';

/** Nothing but what the engine itself does. */
export function sagaScenarios(size: Size): readonly Named[] {
  const half = size === 'full' ? 1 : 0.5;
  const alike = { kind: 'sagas', processes: 2, figures: ['sagas'] } as const;
  return [
    { ...alike, name: ALONE, groupMax: 1, sagas: 1_500 * half, warmUp: 200 },
    { ...alike, name: SAGAS, sagas: 6_000 * half, warmUp: 500 },
  ];
}

export const SAGA_TARGETS: readonly Target[] = [
  {
    figure: 'sagas',
    what: 'sagas of four steps against each journal entry alone',
    of: SAGAS,
    against: ALONE,
    atLeast: undefined,
  },
];
