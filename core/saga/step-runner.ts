import { fullJitterMs } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, InvariantError } from '../kernel/errors.ts';
import { assert, present } from '../kernel/assert.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { LIMITS } from '../../config/limits.ts';
import { callOut } from './call-out.ts';
import type { CommitOutcome, CommitPart } from './journal.ts';
import {
  stepAbsent,
  stepDone,
  stepRefused,
  stepStarted,
  stepUnsure,
  stepWaits,
  undoDone,
  undoFailed,
  undoStarted,
} from './machine.ts';
import { type Run, attemptsUsed, contextOf, earliest, failureOf } from './saga-run.ts';
import type { SagaServices } from './services.ts';
import {
  type CallStep,
  type LedgerPosting,
  type LedgerStep,
  type QueryReply,
  type StepReply,
  legOffsetOf,
  refusedCall,
} from './step.ts';

export interface StepDeps {
  readonly services: SagaServices;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly commit: (part: CommitPart) => Promise<CommitOutcome>;
}

interface Turn {
  readonly step: number;
  readonly attempt: number;
}

/** `moved`: the state has changed, or something has come from outside. */
export type StepOutcome = 'moved' | 'parked-for-signal';

export async function runStep(deps: StepDeps, run: Run, turn: Turn): Promise<StepOutcome> {
  const step = present(run.plan.steps[turn.step], 'a step of the plan');
  return step.kind === 'ledger'
    ? runLedgerStep(deps, run, { ...turn, definition: step })
    : runCallStep(deps, run, { ...turn, definition: step });
}

/** Journal and ledger in one transaction; a refusal is recorded by the same compare-and-set. */
async function runLedgerStep(
  deps: StepDeps,
  run: Run,
  turn: Turn & { readonly definition: LedgerStep<unknown> },
): Promise<StepOutcome> {
  const { step, attempt, definition } = turn;
  const at = run.now();
  const started = stepStarted(run.shapes, run.state, {
    step,
    attempt,
    epoch: run.epoch,
    at,
    by: run.worker,
  });
  const context = contextOf(run, step, attempt);
  await deps.commit({
    guard: run.state.pivotPassed ? {} : { cancel: true },
    ledger: {
      touches: definition.touches(context),
      legOffset: legOffsetOf(step, 'forward'),
      at,
      decide: (draft) => definition.decide(draft, context),
    },
    changeOf: (decision, events) => ({
      state: decision.ok
        ? stepDone(started, step, { at, result: decision.value })
        : stepRefused(run.shapes, started, { step, at, error: decision.failure }),
      lease: 'keep',
      status: run.state.status,
      events,
      at,
    }),
  });
  return 'moved';
}

type CallTurn = Turn & { readonly definition: CallStep<unknown> };

/** The intent is stored before the call, its outcome with whatever is stored next. */
async function runCallStep(deps: StepDeps, run: Run, turn: CallTurn): Promise<StepOutcome> {
  const { step, attempt, definition } = turn;
  const at = run.now();
  const context = contextOf(run, step, attempt);
  const outcome = await deps.commit({
    guard: run.state.pivotPassed ? {} : { cancel: true },
    change: {
      state: stepStarted(run.shapes, run.state, {
        step,
        attempt,
        epoch: run.epoch,
        at,
        by: run.worker,
      }),
      lease: 'keep',
      status: run.state.status,
      events: [],
      at,
    },
  });
  if (outcome.kind !== 'written') return 'moved';
  const called = await callOut(deps, run, {
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => definition.run(context, tools),
  });
  if ('error' in called) {
    const { error } = called;
    // A rule that throws says the same as one that refuses: nothing has happened.
    const isRefusal = error instanceof AppError && error.kind === 'rule';
    if (isRefusal) return applyReply(deps, run, { step, reply: refusedCall(failureOf(error)) });
    unsure(deps, run, { ...turn, error });
    return 'moved';
  }
  return applyReply(deps, run, { step, reply: called.reply });
}

async function applyReply(
  deps: StepDeps,
  run: Run,
  { step, reply }: { readonly step: number; readonly reply: StepReply },
): Promise<StepOutcome> {
  const at = run.now();
  switch (reply.kind) {
    case 'done':
      run.state = stepDone(run.state, step, { at, result: reply.result });
      return 'moved';
    case 'refused':
      run.state = stepRefused(run.shapes, run.state, { step, at, error: reply.failure });
      return 'moved';
    case 'wait':
      return waitForSignal(deps, run, { step, reply });
  }
}

/** The guard keeps a signal that arrives just now from being slept over. */
async function waitForSignal(
  deps: StepDeps,
  run: Run,
  waiting: { readonly step: number; readonly reply: Extract<StepReply, { kind: 'wait' }> },
): Promise<StepOutcome> {
  const { signal, forMs } = waiting.reply;
  const at = run.now();
  const until = forMs === undefined ? undefined : new Date(at.getTime() + forMs);
  const state = stepWaits(run.state, waiting.step, {
    signal,
    ...(until !== undefined && { until }),
  });
  run.state = state;
  const wakeAt = earliest(until, run.operation.deadline);
  const outcome = await deps.commit({
    guard: { cancel: true, signal },
    change: {
      state,
      lease: 'wait',
      status: 'waiting',
      ...(wakeAt !== undefined && { wakeAt }),
      events: [],
      at,
    },
  });
  return outcome.kind === 'written' ? 'parked-for-signal' : 'moved';
}

/** R8: asks the other side what became of a call. */
export async function askStep(deps: StepDeps, run: Run, turn: Turn): Promise<void> {
  const { step, attempt } = turn;
  const definition = callStepOf(run, step);
  const query = present(definition.query?.bind(definition), 'the question of a step');
  const context = contextOf(run, step, attempt);
  deps.metrics.sweepStale.inc({ rule: 'R8' });
  const asked = await callOut(deps, run, {
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => query(context, tools),
  });
  const reply: QueryReply = 'error' in asked ? { kind: 'unknown' } : asked.reply;
  const at = run.now();
  switch (reply.kind) {
    case 'done':
      run.state = stepDone(run.state, step, { at, result: reply.result });
      break;
    case 'refused':
      run.state = stepRefused(run.shapes, run.state, { step, at, error: reply.failure });
      break;
    case 'absent':
      run.state = stepAbsent(run.shapes, run.state, step);
      break;
    case 'unknown': {
      const error =
        'error' in asked ? asked.error : new AppError('provider_unavailable', 'No answer known');
      unsure(deps, run, { ...turn, definition, error });
      return;
    }
  }
  deps.metrics.sweepRepaired.inc({ rule: 'R8' });
}

function unsure(
  deps: StepDeps,
  run: Run,
  { step, attempt, definition, error }: CallTurn & { readonly error: unknown },
): void {
  if (error instanceof InvariantError) throw error;
  const { operation } = run;
  const failure = failureOf(error);
  const { baseMs, capMs, attemptsMax } = definition.retry;
  const asked = error instanceof AppError ? error.retryAfterSeconds : undefined;
  const { random } = deps;
  const ms = asked === undefined ? fullJitterMs(attempt, { baseMs, capMs, random }) : asked * 1_000;
  const isHopeless = error instanceof AppError && error.retry === 'never';
  deps.logger.warn(
    { err: error, operationId: operation._id, step: definition.name, attempt },
    'operation.step.failed',
  );
  run.state = stepUnsure(run.state, step, {
    attempt: isHopeless ? Math.max(attempt, attemptsMax) : attemptsUsed(attempt, error),
    error: failure,
    retryAt: new Date(run.now().getTime() + ms),
  });
}

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
        : undoFailed(started, step, { error: decision.failure, retryAt }),
      lease: 'keep',
      status: run.state.status,
      events,
      at,
    }),
  });
}

async function undoCallStep(deps: StepDeps, run: Run, turn: CallTurn): Promise<void> {
  const { step, attempt, definition } = turn;
  const { compensate } = definition;
  assert(typeof compensate !== 'string', 'a step that is taken back has a compensation');
  const at = run.now();
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
  const context = contextOf(run, step, attempt);
  const undone = await callOut(deps, run, {
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => compensate.run(context, tools),
  });
  if (!('error' in undone)) {
    run.state = undoDone(run.state, step, run.now());
    return;
  }
  const { error } = undone;
  deps.logger.warn({ err: error, step: definition.name, attempt }, 'operation.undo.failed');
  const retryAt = undoRetryAt(deps, run, attempt);
  const undoAttempt = attemptsUsed(attempt, error);
  run.state = undoFailed(run.state, step, { error: failureOf(error), retryAt, undoAttempt });
}

function undoRetryAt({ random }: StepDeps, run: Run, attempt: number): Date {
  const baseMs = LIMITS.sagaUndoRetryMs;
  const capMs = LIMITS.sagaUndoRetryMsMax;
  return new Date(run.now().getTime() + fullJitterMs(attempt, { baseMs, capMs, random }));
}

function callStepOf(run: Run, step: number): CallStep<unknown> {
  const definition = run.plan.steps[step];
  assert(definition?.kind === 'call', 'only calls have unknown outcomes', { step });
  return definition;
}
