import { fullJitterMs } from '../kernel/backoff.ts';
import { AppError, InvariantError } from '../kernel/errors.ts';
import { assert, present } from '../kernel/assert.ts';
import { callOut } from './call-out.ts';
import type { CommitOutcome, CommitPart, JournalChange } from './journal.ts';
import {
  type Refusal,
  type SagaState,
  stepAbsent,
  stepAsked,
  stepDone,
  stepRefused,
  stepUnsure,
  stepWaits,
} from './machine.ts';
import { type Way, afterOutage, enterWay } from './provider-calls.ts';
import { type Run, attemptsUsed, contextOf, earliest, failureOf } from './saga-run.ts';
import type { CallStep, QueryReply, StepReply } from '../operations/step.ts';
import type { CallTurn, Turn, TurnDeps } from './turn.ts';
import { leaveToOthers } from './worker-unfit.ts';

export interface StepDeps extends TurnDeps {
  readonly commit: (part: CommitPart) => Promise<CommitOutcome>;
}

export type WayTurn = CallTurn & {
  readonly way: Way;
  /** As it was before the intent. */
  readonly before: SagaState;
};

/** `moved`: the state has changed, or something has come from outside. */
export type StepOutcome = 'moved' | 'parked-for-signal';

/** The intent is stored; the outcome is, with whatever is stored next. */
export async function callStep(deps: StepDeps, run: Run, turn: WayTurn): Promise<StepOutcome> {
  const { step, definition, way, before } = turn;
  // Only now: what was decided with the intent is stored, and may be seen.
  const context = contextOf(run, turn);
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
    if (!isRefusal) run.state = unsureAfter(deps, run, { ...turn, error })(run.state);
    else run.state = stepRefused(run.shapes, run.state, ownRefusal(run, step, error));
    return 'moved';
  }
  return applyReply(deps, run, { step, reply: called.reply });
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

export interface Waiting {
  readonly step: number;
  readonly reply: Extract<StepReply, { readonly kind: 'wait' }>;
}

/** The guard keeps a signal that arrives just now from being slept over; one seen already is not. */
export function guardOfWaiting({ requests }: Run, { reply: { signal } }: Waiting) {
  const isSeen = requests.signals[signal] !== undefined;
  return { cancel: true, ...(!isSeen && { signal }) } as const;
}

/** The write by which a saga goes to sleep until somebody says something. */
export function waitingChange(run: Run, waiting: Waiting, state: SagaState): JournalChange {
  const { signal, forMs } = waiting.reply;
  const at = run.now();
  const until = forMs === undefined ? undefined : new Date(at.getTime() + forMs);
  const wakeAt = earliest(until, run.operation.deadline);
  return {
    state: stepWaits(state, waiting.step, { signal, ...(until !== undefined && { until }) }),
    lease: 'wait',
    status: 'waiting',
    ...(wakeAt !== undefined && { wakeAt }),
    events: [],
    at,
  };
}

async function waitForSignal(deps: StepDeps, run: Run, waiting: Waiting): Promise<StepOutcome> {
  const change = waitingChange(run, waiting, run.state);
  run.state = change.state;
  const outcome = await deps.commit({ guard: guardOfWaiting(run, waiting), change });
  return outcome.kind === 'written' ? 'parked-for-signal' : 'moved';
}

/** R8: asks the other side what became of a call. */
export async function askStep(deps: StepDeps, run: Run, turn: Turn): Promise<void> {
  const { step } = turn;
  const definition = callStepOf(run, step);
  const query = present(definition.query?.bind(definition), 'the question of a step');
  const context = contextOf(run, turn);
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
      run.state = unsureAfter(deps, run, { ...turn, definition, error })(run.state);
      return;
    }
  }
  deps.metrics.sweepRepaired.inc({ rule: 'R8' });
}

type FailedTurn = CallTurn & {
  readonly error: unknown;
  /** As it was before the intent of a call was stored; absent: it was a question. */
  readonly before?: SagaState;
};

/** What a call of which nobody knows what became of it makes of the state. */
export function unsureAfter(
  deps: TurnDeps,
  run: Run,
  turn: FailedTurn,
): (state: SagaState) => SagaState {
  const { step, attempt, definition, error } = turn;
  if (error instanceof InvariantError) throw error;
  const postponed = afterOutage(run, turn, deps.random);
  if (postponed !== undefined) {
    deps.logger.warn({ err: error, ...logOf(run, turn) }, 'operation.step.postponed');
    return () => postponed;
  }
  const at = run.now();
  const { baseMs, capMs, attemptsMax } = definition.retry;
  const asked = error instanceof AppError ? error.retryAfterSeconds : undefined;
  const { random } = deps;
  const ms = asked === undefined ? fullJitterMs(attempt, { baseMs, capMs, random }) : asked * 1_000;
  const isHopeless = error instanceof AppError && error.retry === 'never';
  deps.logger.warn({ err: error, ...logOf(run, turn) }, 'operation.step.failed');
  const failed = {
    attempt: isHopeless ? Math.max(attempt, attemptsMax) : attemptsUsed(attempt, error),
    error: failureOf(error),
    at,
    retryAt: new Date(at.getTime() + ms),
  };
  return (state) => stepUnsure(state, step, failed);
}

function logOf(run: Run, { definition, attempt }: CallTurn) {
  return { operationId: run.operation._id, step: definition.name, attempt };
}

function callStepOf(run: Run, step: number): CallStep<unknown> {
  const definition = run.plan.steps[step];
  assert(definition?.kind === 'call', 'only calls have unknown outcomes', { step });
  return definition;
}
