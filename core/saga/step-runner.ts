import { fullJitterMs } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, InvariantError } from '../kernel/errors.ts';
import { assert, present } from '../kernel/assert.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { callOut } from './call-out.ts';
import type { CommitOutcome, CommitPart, Guard } from './journal.ts';
import {
  type Refusal,
  type SagaState,
  stepAbsent,
  stepAsked,
  stepDone,
  stepRefused,
  stepStarted,
  stepUnsure,
  stepWaits,
} from './machine.ts';
import { type Way, afterOutage, enterWay } from './provider-calls.ts';
import { type Run, attemptsUsed, contextOf, earliest, failureOf } from './saga-run.ts';
import type { SagaServices } from '../operations/services.ts';
import {
  type CallStep,
  type LedgerStep,
  type QueryReply,
  type StepContext,
  type StepReply,
  legOffsetOf,
} from '../operations/step.ts';
import { leaveToOthers } from './worker-unfit.ts';

export interface StepDeps {
  readonly services: SagaServices;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly commit: (part: CommitPart) => Promise<CommitOutcome>;
}

export interface Turn {
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

export type CallTurn = Turn & { readonly definition: CallStep<unknown> };

/** The intent is stored before the call, its outcome with whatever is stored next. */
async function runCallStep(deps: StepDeps, run: Run, turn: CallTurn): Promise<StepOutcome> {
  const { step, attempt, definition } = turn;
  const context = contextOf(run, step, attempt);
  const way = await enterWay(deps, run, { step, definition, context });
  try {
    return await callStep(deps, run, { ...turn, context, way });
  } finally {
    way.abandon();
  }
}

export type WayTurn = CallTurn & { readonly context: StepContext<unknown>; readonly way: Way };

async function callStep(deps: StepDeps, run: Run, turn: WayTurn): Promise<StepOutcome> {
  const { step, attempt, definition, context, way } = turn;
  const at = run.now();
  const before = run.state;
  const outcome = await deps.commit({
    guard: guardOf(run, step),
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
    way,
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => definition.run(context, tools),
  });
  if ('error' in called) {
    const { error } = called;
    leaveToOthers(run, before, error);
    // A rule that throws says that this attempt did nothing, and knows of no other.
    const isRefusal = error instanceof AppError && error.kind === 'rule';
    if (!isRefusal) unsure(deps, run, { ...turn, error, before });
    else run.state = stepRefused(run.shapes, run.state, ownRefusal(run, step, error));
    return 'moved';
  }
  return applyReply(deps, run, { step, reply: called.reply });
}

/** What would be overlooked if it came now: a cancel, or the answer that the step has waited for. */
function guardOf({ state, requests }: Run, step: number): Guard {
  const record = state.steps[step];
  const signal = record?.status === 'waiting' ? record.waitingFor?.signal : undefined;
  const isMissing = signal !== undefined && requests.signals[signal] === undefined;
  return {
    ...(!state.pivotPassed && { cancel: true as const }),
    ...(isMissing && { signal }),
  };
}

function ownRefusal(run: Run, step: number, error: AppError): Refusal {
  return { step, at: run.now(), error: failureOf(error), isOwn: true };
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

/** The guard keeps a signal that arrives just now from being slept over; one seen already is not. */
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
  const isSeen = run.requests.signals[signal] !== undefined;
  const outcome = await deps.commit({
    guard: { cancel: true, ...(!isSeen && { signal }) },
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
  const way = await enterWay(deps, run, { step, definition, context });
  deps.metrics.sweepStale.inc({ rule: 'R8' });
  const before = run.state;
  run.state = stepAsked(before, step, { at: run.now(), by: run.worker });
  const asked = await callOut(deps, run, {
    way,
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => query(context, tools),
  }).finally(() => {
    way.abandon();
  });
  if ('error' in asked) leaveToOthers(run, before, asked.error);
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
  turn: CallTurn & { readonly error: unknown; readonly before?: SagaState },
): void {
  const { step, attempt, definition, error } = turn;
  if (error instanceof InvariantError) throw error;
  const postponed = afterOutage(run, turn, deps.random);
  if (postponed !== undefined) {
    deps.logger.warn({ err: error, ...logOf(run, turn) }, 'operation.step.postponed');
    run.state = postponed;
    return;
  }
  const at = run.now();
  const failure = failureOf(error);
  const { baseMs, capMs, attemptsMax } = definition.retry;
  const asked = error instanceof AppError ? error.retryAfterSeconds : undefined;
  const { random } = deps;
  const ms = asked === undefined ? fullJitterMs(attempt, { baseMs, capMs, random }) : asked * 1_000;
  const isHopeless = error instanceof AppError && error.retry === 'never';
  deps.logger.warn({ err: error, ...logOf(run, turn) }, 'operation.step.failed');
  run.state = stepUnsure(run.state, step, {
    attempt: isHopeless ? Math.max(attempt, attemptsMax) : attemptsUsed(attempt, error),
    error: failure,
    at,
    retryAt: new Date(at.getTime() + ms),
  });
}

function logOf(run: Run, { definition, attempt }: CallTurn) {
  return { operationId: run.operation._id, step: definition.name, attempt };
}

function callStepOf(run: Run, step: number): CallStep<unknown> {
  const definition = run.plan.steps[step];
  assert(definition?.kind === 'call', 'only calls have unknown outcomes', { step });
  return definition;
}
