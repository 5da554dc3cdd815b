import { LIMITS } from '../../config/limits.ts';
import { assert, present } from '../kernel/assert.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import { callOut } from './call-out.ts';
import { undoDone, undoFailed, undoStarted } from './machine.ts';
import { enterWay, undoAfterOutage } from './provider-calls.ts';
import { type Run, attemptsUsed, contextOf, failureOf } from './saga-run.ts';
import type { CallTurn, StepDeps, Turn, WayTurn } from './step-runner.ts';
import { type LedgerPosting, legOffsetOf } from '../operations/step.ts';
import { leaveToOthers } from './worker-unfit.ts';

export async function undoStep(deps: StepDeps, run: Run, turn: Turn): Promise<void> {
  const definition = present(run.plan.steps[turn.step], 'a step of the plan');
  if (definition.kind === 'call') {
    await undoCallStep(deps, run, { ...turn, definition });
    return;
  }
  const posting = definition.compensate;
  assert(typeof posting !== 'string', 'a step that is taken back has a compensation');
  await undoLedgerStep(deps, run, { ...turn, posting });
}

async function undoLedgerStep(
  deps: StepDeps,
  run: Run,
  { step, attempt, posting }: Turn & { readonly posting: LedgerPosting<unknown> },
): Promise<void> {
  const at = run.now();
  const context = contextOf(run, step, attempt);
  const started = undoStarted(run.state, { step, attempt, epoch: run.epoch, at, by: run.worker });
  const retryAt = undoRetryAt(deps, run, attempt);
  await deps.commit({
    guard: {},
    ledger: {
      touches: posting.touches(context),
      legOffset: legOffsetOf(step, 'undo'),
      at,
      decide: (draft) => posting.decide(draft, context),
    },
    changeOf: (decision, events) => ({
      state: decision.ok
        ? undoDone(started, step, at)
        : undoFailed(started, step, { error: decision.failure, retryAt, at }),
      lease: 'keep',
      status: run.state.status,
      events,
      at,
    }),
  });
}

async function undoCallStep(deps: StepDeps, run: Run, turn: CallTurn): Promise<void> {
  const { step, attempt, definition } = turn;
  const context = contextOf(run, step, attempt);
  const way = await enterWay(deps, run, { step, definition, context });
  try {
    await callUndo(deps, run, { ...turn, context, way });
  } finally {
    way.abandon();
  }
}

async function callUndo(deps: StepDeps, run: Run, turn: WayTurn): Promise<void> {
  const { step, attempt, definition, context, way } = turn;
  const { compensate } = definition;
  assert(typeof compensate !== 'string', 'a step that is taken back has a compensation');
  const at = run.now();
  const before = run.state;
  await deps.commit({
    guard: {},
    change: {
      state: undoStarted(run.state, { step, attempt, epoch: run.epoch, at, by: run.worker }),
      lease: 'keep',
      status: run.state.status,
      events: [],
      at,
    },
  });
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

function undoRetryAt({ random }: StepDeps, run: Run, attempt: number): Date {
  return new Date(run.now().getTime() + fullJitterMs(attempt, { ...UNDO_PACE, random }));
}
