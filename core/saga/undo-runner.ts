import { LIMITS } from '../../config/limits.ts';
import { assert } from '../kernel/assert.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import { callOut } from './call-out.ts';
import { undoDone, undoFailed } from './machine.ts';
import { undoAfterOutage } from './provider-calls.ts';
import { type Run, attemptsUsed, contextOf, failureOf } from './saga-run.ts';
import type { StepDeps, WayTurn } from './step-runner.ts';
import { leaveToOthers } from './worker-unfit.ts';

/** The intent is stored: takes the call back. */
export async function callUndo(deps: StepDeps, run: Run, turn: WayTurn): Promise<void> {
  const { step, attempt, definition, way, before } = turn;
  const { compensate } = definition;
  assert(typeof compensate !== 'string', 'a step that is taken back has a compensation');
  const context = contextOf(run, turn);
  const undone = await callOut(deps, run, {
    way,
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => compensate.run(context, tools),
  });
  if (!('error' in undone)) {
    run.state = undoDone(run.state, step, run.now());
    return;
  }
  const { error } = undone;
  leaveToOthers(run, before, error);
  deps.logger.warn({ err: error, step: definition.name, attempt }, 'operation.undo.failed');
  const pace = { ...UNDO_PACE, random: deps.random };
  run.state = undoFailed(run.state, step, {
    error: failureOf(error),
    at: run.now(),
    ...(undoAfterOutage(run, { step, attempt, definition, error }, pace) ?? {
      retryAt: undoRetryAt(deps, run, attempt),
      undoAttempt: attemptsUsed(attempt, error),
    }),
  });
}

const UNDO_PACE = { baseMs: LIMITS.sagaUndoRetryMs, capMs: LIMITS.sagaUndoRetryMsMax };

export function undoRetryAt(
  { random }: { readonly random: () => number },
  run: Run,
  attempt: number,
): Date {
  return new Date(run.now().getTime() + fullJitterMs(attempt, { ...UNDO_PACE, random }));
}
