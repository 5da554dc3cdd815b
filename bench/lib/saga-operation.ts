import { z } from 'zod';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { type Registry, defineOperation } from '../../core/operations/define.ts';
import { type Step, done } from '../../core/operations/step.ts';

const input = z.strictObject({ userId: z.string() });
type Input = z.infer<typeof input>;

/** Nothing but what the engine itself does: the intent before the call, its outcome after it. */
const trivial = (name: string): Step<Input> => ({
  name,
  kind: 'call',
  redo: 'safe',
  timeoutMs: 10_000,
  retry: { attemptsMax: 3, baseMs: 100, capMs: 1_000 },
  run: async () => done({ step: name }),
  compensate: 'none-needed: it does nothing',
});

export const SAGA_STEPS = ['first', 'second', 'third', 'fourth'] as const;

export const SAGA_TYPE = 'bench.four-steps';

/** Every operation there is, and one of four trivial steps. */
export const SAGA_REGISTRY: Registry = {
  ...OPERATIONS,
  [SAGA_TYPE]: defineOperation<Input>({
    type: SAGA_TYPE,
    version: 1,
    mode: 'stepwise',
    summary: 'four trivial steps, for the benchmark',
    input,
    ordering: ({ userId }) => ({ user: userId }),
    steps: SAGA_STEPS.map(trivial),
  }),
};
