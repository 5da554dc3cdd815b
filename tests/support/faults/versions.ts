import { z } from 'zod';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import {
  type Registry,
  type OperationDefinition,
  defineOperation,
} from '../../../core/operations/define.ts';
import { ok } from '../../../core/kernel/result.ts';
import { type Step, done, waitFor } from '../../../core/operations/step.ts';

/** The signal that the operation waits for in its middle. */
export const GATE = 'go';
export const VERSIONED = 'test.versioned';

const input = z.strictObject({ userId: z.string() });
type Input = z.infer<typeof input>;

const first: Step<Input> = {
  name: 'first',
  kind: 'ledger',
  touches: () => ({}),
  decide: () => ok(undefined),
  compensate: 'none-needed: it does nothing',
};
const retry = { attemptsMax: 3, baseMs: 100, capMs: 1_000 } as const;
const gate: Step<Input> = {
  name: 'gate',
  kind: 'call',
  redo: 'safe',
  timeoutMs: 5_000,
  retry,
  run: async ({ signals }) => (signals[GATE] === undefined ? waitFor(GATE, 600_000) : done()),
  compensate: 'none-needed: it only waits',
};
const last = (version: string): Step<Input> => ({
  name: 'last',
  kind: 'call',
  redo: 'safe',
  timeoutMs: 5_000,
  retry,
  run: async () => done({ by: version }),
  compensate: 'none-needed: it only says who it is',
});
const common = {
  type: VERSIONED,
  mode: 'stepwise',
  summary: 'for tests of versions in flight',
  input,
  signals: { [GATE]: z.strictObject({}) },
  ordering: ({ userId }: Input) => ({ user: userId }),
  result: ({ results }: { readonly results: Readonly<Record<string, unknown>> }) =>
    JSON.parse(JSON.stringify(results['last'] ?? {})) as Readonly<Record<string, string>>,
} as const;

const old: OperationDefinition = defineOperation<Input>({
  ...common,
  version: 1,
  steps: [first, gate, last('version 1')],
});
/** Has another step in front of the one that waits. */
const current: OperationDefinition = defineOperation<Input>({
  ...common,
  version: 2,
  steps: [first, { ...last('nobody'), name: 'extra' }, gate, last('version 2')],
  earlier: [old],
});

/** The code before and after a deployment. */
export const REGISTRIES: Readonly<Record<'before' | 'after', Registry>> = {
  before: { ...OPERATIONS, [VERSIONED]: old },
  after: { ...OPERATIONS, [VERSIONED]: current },
};
