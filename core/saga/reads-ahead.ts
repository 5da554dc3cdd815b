import type { SagaState } from './machine.ts';
import { type Run, contextOf } from './saga-run.ts';
import type { StepContext } from '../operations/step.ts';
import type { Turn } from './turn.ts';

/** A step was asked what it needs, and looked at a result that is not stored yet. */
export class ReadsAhead extends Error {
  override readonly name = 'ReadsAhead';
}

interface Ahead {
  readonly state: SagaState;
  /** Steps whose results nobody may see yet. */
  readonly ahead: ReadonlySet<string>;
}

/** What a step may know before the write that it is planned into: results that are stored. */
export function aheadOf(run: Run, turn: Turn, { state, ahead }: Ahead): StepContext<unknown> {
  const context = contextOf(run, turn, state);
  if (ahead.size === 0) return context;
  const results = { ...context.results };
  for (const name of ahead) {
    Object.defineProperty(results, name, {
      enumerable: true,
      get: () => {
        throw new ReadsAhead(name);
      },
    });
  }
  return { ...context, results };
}
