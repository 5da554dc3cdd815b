import { LIMITS } from '../../config/limits.ts';
import { AppError } from '../kernel/errors.ts';
import { type SagaState, stepRefused, stepUnsure } from './machine.ts';
import { type Run, failureOf } from './saga-run.ts';
import type { PaymentOutcome, SagaServices } from '../operations/services.ts';
import type { CallStep, RetryPolicy, StepContext } from '../operations/step.ts';
import { WorkerUnfit } from './worker-unfit.ts';

/**
 * What becomes of a step while its provider is away: it waits, for as long as the operation has, and
 * no attempt is used up. Attempts are for what the request itself does wrong.
 */

/** Nothing was sent: the run goes on at that time, with that state. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
  readonly until: Date;
  readonly state: SagaState;
  /** It waits for a place, and nothing else. */
  readonly isBusy: boolean;

  constructor(until: Date, state: SagaState, isBusy = false) {
    super(`not before ${until.toISOString()}`);
    this.until = until;
    this.state = state;
    this.isBusy = isBusy;
  }
}

/** How a call failed, when that is the provider's state and not the request's fault. */
export interface Outage {
  readonly kind: 'throttled' | 'failed';
  /** What it asked for. */
  readonly waitMs?: number;
  /** The request, or a part of it, was on its way. */
  readonly mayHaveSent: boolean;
}

const OUTAGES: Partial<Record<AppError['code'], Pick<Outage, 'kind' | 'mayHaveSent'>>> = {
  provider_throttled: { kind: 'throttled', mayHaveSent: true },
  provider_unavailable: { kind: 'failed', mayHaveSent: true },
  provider_unreachable: { kind: 'failed', mayHaveSent: false },
  timeout: { kind: 'failed', mayHaveSent: true },
};

/** Undefined: it counts against the step. Pure. */
function outageOf(
  { provider }: Pick<CallStep<unknown>, 'provider'>,
  error: unknown,
): Outage | undefined {
  if (provider === undefined || !(error instanceof AppError)) return undefined;
  const outage = OUTAGES[error.code];
  if (outage === undefined) return undefined;
  const seconds = error.retryAfterSeconds;
  return { ...outage, ...(seconds !== undefined && { waitMs: seconds * 1_000 }) };
}

type Pace = Pick<RetryPolicy, 'baseMs' | 'capMs'> & { readonly random: () => number };

/**
 * What was asked for, and never less than a share of how long it has lasted: one that always asks for
 * a second is not called once a second for days. Pure.
 */
function outageWaitMs({ waitMs = 0 }: Pick<Outage, 'waitMs'>, lastedMs: number, pace: Pace) {
  const ownMs = Math.min(pace.capMs, Math.max(pace.baseMs, lastedMs / 10));
  return Math.ceil(Math.max(waitMs, ownMs * (0.5 + pace.random() / 2)));
}

/** Since when a step has been waiting for its provider; of one not begun, since it could have. */
function waitingSince(state: SagaState, step: number, now: Date): Date {
  const record = state.steps[step];
  if (record !== undefined) return record.postponedSince ?? now;
  return state.steps[step - 1]?.finishedAt ?? now;
}

interface Wait {
  readonly step: number;
  readonly outage: Pick<Outage, 'waitMs'>;
  /** As it was before the call. */
  readonly state: SagaState;
}

function waitOf(run: Run, { step, outage, state }: Wait, pace: Pace) {
  const definition = run.plan.steps[step];
  const own = definition?.kind === 'call' ? definition.patienceMs : undefined;
  const patienceMs = own ?? LIMITS.paymentPatienceMs;
  const now = run.now();
  const since = waitingSince(state, step, now);
  const lastedMs = now.getTime() - since.getTime();
  const until = new Date(now.getTime() + outageWaitMs(outage, lastedMs, pace));
  return { since, until, isOver: lastedMs >= patienceMs };
}

interface FailedCall {
  readonly step: number;
  readonly attempt: number;
  readonly definition: CallStep<unknown>;
  readonly error: unknown;
  /** As it was before the intent of a call was stored; absent: it was a question. */
  readonly before?: SagaState;
}

/**
 * The state after a call that the provider did not answer; undefined when that counts against the
 * step.
 *
 * @throws Postponed when nothing was sent, so that it can still be canceled and be too late.
 */
export function afterOutage(
  run: Run,
  { step, attempt, definition, error, before }: FailedCall,
  random: () => number,
): SagaState | undefined {
  const outage = outageOf(definition, error);
  if (outage === undefined) return undefined;
  const state = before ?? run.state;
  const wait = waitOf(run, { step, outage, state }, { ...definition.retry, random });
  const known = state.steps[step];
  const isUntouched = known === undefined || known.status === 'absent';
  if (before !== undefined && isUntouched && !outage.mayHaveSent) {
    if (!wait.isOver) throw new Postponed(wait.until, before);
    return stepRefused(run.shapes, run.state, { step, at: run.now(), error: failureOf(error) });
  }
  return stepUnsure(run.state, step, {
    // Else the next attempt has its number again.
    attempt: wait.isOver ? Math.max(attempt, definition.retry.attemptsMax * 2) : attempt - 1,
    error: failureOf(error),
    at: run.now(),
    retryAt: wait.until,
    postponedSince: wait.since,
  });
}

/** The same for a call that takes a step back. */
export function undoAfterOutage(
  run: Run,
  { step, attempt, definition, error }: FailedCall,
  pace: Pace,
) {
  const outage = outageOf(definition, error);
  if (outage === undefined) return undefined;
  const { since, until, isOver } = waitOf(run, { step, outage, state: run.state }, pace);
  return {
    retryAt: until,
    undoAttempt: isOver ? Math.max(attempt, LIMITS.sagaUndoAttemptsMax) : attempt - 1,
    postponedSince: since,
  };
}

/** The way to a provider; a call that needs none has a free one. Only the first of the two counts. */
export interface Way {
  leave(error: unknown): Promise<void>;
  abandon(): void;
}

/** Of a call that needs nobody's leave. */
export const FREE_WAY: Way = { leave: async () => undefined, abandon: () => undefined };

interface Asking {
  readonly step: number;
  readonly definition: CallStep<unknown>;
  readonly context: StepContext<unknown>;
}

/**
 * Before the intent is stored, so that what has to wait writes no attempt and passes no pivot.
 *
 * @throws Postponed when it has to wait, WorkerUnfit when another process has to do it.
 */
export async function enterWay(
  { services, random }: { readonly services: SagaServices; readonly random: () => number },
  run: Run,
  { step, definition, context }: Asking,
): Promise<Way> {
  if (definition.provider === undefined) return FREE_WAY;
  const name = definition.provider(context);
  const permit = await services.payments.request(name, run.operation.tenantId);
  if (permit.kind === 'elsewhere') throw unfit(name);
  if (permit.kind === 'go') return wayOf(definition, permit);
  const { waitMs } = permit;
  const { state } = run;
  if (permit.kind === 'paused') {
    const spread = waitMs * (1 + random());
    throw new Postponed(new Date(run.now().getTime() + Math.ceil(spread)), state);
  }
  const pace = { baseMs: waitMs, capMs: waitMs, random };
  const { isOver } = waitOf(run, { step, outage: permit, state }, pace);
  if (isOver) return FREE_WAY; // its last call decides
  const spreadMs = random() * Math.min(waitMs, LIMITS.deferSpreadMs);
  const until = new Date(run.now().getTime() + Math.ceil(waitMs + spreadMs));
  throw new Postponed(until, state, permit.isBusy);
}

type Permit = Awaited<ReturnType<SagaServices['payments']['request']>> & { readonly kind: 'go' };

function wayOf(definition: CallStep<unknown>, permit: Permit): Way {
  let isDone = false;
  return {
    leave: async (error) => {
      if (isDone) return;
      isDone = true;
      await permit.report(outcomeOf(outageOf(definition, error)));
    },
    abandon: () => {
      if (isDone) return;
      isDone = true;
      permit.cancel();
    },
  };
}

function outcomeOf(outage: Outage | undefined): PaymentOutcome {
  if (outage === undefined) return { kind: 'answered' };
  const { kind, waitMs } = outage;
  return { kind, ...(waitMs !== undefined && { waitMs }) };
}

function unfit(name: string): WorkerUnfit {
  const detail = `This worker has no address of the payment provider "${name}"`;
  const retryAfterSeconds = LIMITS.workerUnfitMs / 1_000;
  return new WorkerUnfit(new AppError('worker_unfit', detail, { retryAfterSeconds }));
}
