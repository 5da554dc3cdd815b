import { LIMITS } from '../../config/limits.ts';
import { type SagaShares, sagaShares } from '../../config/saga-shares.ts';
import { isPassing } from '../infra/database-errors.ts';
import { assertNever } from '../kernel/assert.ts';
import { fullJitterMs } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, type Failure } from '../kernel/errors.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import { traceSteps, tracedRun } from './trace-steps.ts';
import { counted } from './step-outcomes.ts';
import { FencedOut } from './fenced-out.ts';
import type { AloneCommand } from './fuse-plan.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Commit, CommitOutcome, CommitPart, JournalChange, SagaJournal } from './journal.ts';
import type { Claim } from '../operations/claim.ts';
import { type Command, nextCommand } from './machine.ts';
import { type Nap, createNap } from './nap.ts';
import { type Seat, createRoom } from './room.ts';
import type { OperationDoc } from '../operations/operation.ts';
import type { SettledHints } from '../events/hints.ts';
import {
  type Run,
  beginRun,
  earliest,
  factsOf,
  failureOf,
  mustBeStoredAlone,
  refOf,
} from './saga-run.ts';
import { endChange, moveOn, storeAlone } from './saga-drive.ts';
import type { SagaServices } from '../operations/services.ts';
import { Postponed } from './provider-calls.ts';
import type { SagaPlan } from '../operations/step.ts';
import { type StepDeps, askStep } from './step-runner.ts';
import { onTerms } from './terms.ts';
import { goneVersion, isWornOut, newerVersion, shuttingDown, wornOut } from './unfit-runs.ts';
import { WorkerUnfit } from './worker-unfit.ts';

/** What the registry knows of a stored operation. */
export type PlanLookup =
  | { readonly kind: 'plan'; readonly plan: SagaPlan }
  /** Accepted by newer code than this: another process will know it. */
  | { readonly kind: 'newer' }
  | { readonly kind: 'gone' };

export interface EngineDeps {
  readonly journal: SagaJournal;
  readonly heartbeat: Heartbeat;
  readonly planOf: (operation: OperationDoc) => PlanLookup;
  readonly services: SagaServices;
  readonly hints: SettledHints;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
  /** By default those of as many sagas as LIMITS has; asked anew each time. */
  readonly shares?: () => SagaShares;
}

export interface SagaEngine {
  /**
   * Claims an operation and takes it as far as it goes now. Resolves when there is nothing more to
   * do for this job: terminal, parked, waiting, or taken over by another worker.
   *
   * @throws AppError `operation_busy` while another claim is alive, `shutting_down` after the lease
   * was given back, or what the database threw: the job has to come again.
   */
  run(operationId: string): Promise<void>;
  /** Runs under way give their leases back at the next step. */
  close(): void;
}

export function createSagaEngine(deps: EngineDeps): SagaEngine {
  const closing = { isClosing: false };
  const room = createRoom(LIMITS.sagaBytesMax);
  const { shares = () => sagaShares(LIMITS.sagaConcurrency) } = deps;
  const nap = createNap(deps.clock, () => shares().sleepersMax);
  const wait = createNap(deps.clock, () => shares().busyMax);
  const parts: Parts = { ...deps, nap, wait };
  return Object.freeze({
    run: async (operationId: string) => {
      if (closing.isClosing) throw shuttingDown();
      await deps.failpoint('saga.before-claim');
      const seat = await room.enter();
      try {
        if (closing.isClosing) throw shuttingDown();
        await runClaimed(parts, await claimed(deps, operationId), { closing, seat });
      } finally {
        seat.leave();
      }
    },
    close: () => {
      closing.isClosing = true;
    },
  } satisfies SagaEngine);
}

interface Claimed {
  readonly claim: Claim;
  /** Monotonic time just before it was asked for. */
  readonly sinceMs: number;
}

/** Undefined: there is nothing to do. */
async function claimed(deps: EngineDeps, operationId: string): Promise<Claimed | undefined> {
  const sinceMs = deps.clock.monotonicMs();
  const outcome = await deps.journal.claim(operationId);
  if (outcome.kind === 'idle') return undefined;
  if (outcome.kind === 'busy') {
    throw new AppError('operation_busy', 'Another claim is alive', {
      retryAfterSeconds: Math.max(1, Math.ceil(outcome.retryAfterMs / 1_000)),
    });
  }
  await deps.failpoint('saga.after-claim');
  return { claim: outcome.claim, sinceMs };
}

interface Setting {
  readonly closing: { readonly isClosing: boolean };
  readonly seat: Seat;
}

async function runClaimed(
  deps: Parts,
  held: Claimed | undefined,
  { closing, seat }: Setting,
): Promise<void> {
  if (held === undefined) return;
  const { claim, sinceMs } = held;
  const lease = deps.heartbeat.hold(claim, sinceMs);
  seat.take(claim.bytes ?? 0);
  try {
    const found = deps.planOf(claim.operation);
    const plan = found.kind === 'plan' ? onTerms(deps, found.plan, claim.operation) : NO_PLAN;
    const monotonicMs = (): number => deps.clock.monotonicMs();
    const run = beginRun(claim, plan, { lease, monotonicMs });
    if (isWornOut(run)) await park(deps, run, { error: wornOut(run), step: undefined });
    else if (found.kind === 'newer') await giveBack(deps, run, newerVersion(run));
    else if (found.kind === 'gone') {
      await park(deps, run, { error: goneVersion(run), step: undefined });
    } else await tracedRun(deps.tracer, run, () => drive(deps, run, closing));
  } catch (error) {
    if (!(error instanceof FencedOut)) throw error;
    const { operation, epoch } = claim;
    deps.metrics.fencedOut.inc({ type: operation.type });
    deps.logger.warn({ operationId: operation._id, epoch }, 'operation.fenced-out');
  } finally {
    lease.drop();
  }
}

const NO_PLAN: SagaPlan = { steps: [], result: () => undefined };

/** `wait`: for a place at a provider that is busy. */
type Parts = EngineDeps & { readonly nap: Nap; readonly wait: Nap };

async function drive(
  deps: Parts,
  run: Run,
  closing: { readonly isClosing: boolean },
): Promise<void> {
  const commit = (change: CommitPart): Promise<CommitOutcome> => commitPatiently(deps, run, change);
  const stepDeps = { ...deps, commit };
  for (;;) {
    if (closing.isClosing) return giveBack(deps, run, shuttingDown());
    try {
      const before = run.state.steps;
      const isOver = await counted(deps.metrics, run, () => advance(stepDeps, run));
      traceSteps(deps.tracer, run, before);
      if (isOver) return;
    } catch (error) {
      if (error instanceof WorkerUnfit) return giveBack(deps, run, error.reason);
      if (error instanceof Postponed) {
        run.state = error.state;
        if (await pause(deps, run, error)) return;
        continue;
      }
      if (error instanceof FencedOut || isPassing(error)) throw error;
      // A bug in a decision: going on would only repeat it.
      deps.logger.error({ err: error, operationId: run.operation._id }, 'operation.step.crashed');
      const command = nextCommand(run.shapes, run.state, factsOf(run));
      return park(deps, run, { error: failureOf(error), step: stepOf(run, command) });
    }
  }
}

/** True when the run is over. */
async function advance(deps: StepDeps & Parts, run: Run): Promise<boolean> {
  if (mustBeStoredAlone(run)) {
    await storeAlone(deps, run);
    return false;
  }
  const moved = await moveOn(deps, run);
  switch (moved.kind) {
    case 'moved':
      return false;
    case 'parked-for-signal':
      // Whoever waits for the outcome need not wait for a person as well.
      deps.hints.announce([{ operationId: run.operation._id }]);
      return true;
    case 'ended':
      tellEnd(deps, run, moved.change);
      return true;
    case 'alone':
      return execute(deps, run, moved.command);
  }
}

/** True when the run is over. */
async function execute(deps: StepDeps & Parts, run: Run, command: AloneCommand): Promise<boolean> {
  switch (command.do) {
    case 'ask':
      await askStep(deps, run, command);
      return false;
    case 'pause':
      return pause(deps, run, { until: command.until, isBusy: false });
    case 'park':
      await park(deps, run, { error: command.error, step: stuckStepOf(run) });
      return true;
    default:
      return assertNever(command);
  }
}

/** With the lease held; false: there is no room for that, or it is too long. */
async function sleptThrough(
  deps: Parts,
  run: Run,
  { until, isBusy }: Pick<Postponed, 'until' | 'isBusy'>,
): Promise<boolean> {
  const ms = until.getTime() - run.now().getTime();
  const nap = isBusy ? deps.wait : deps.nap;
  if (ms > (isBusy ? LIMITS.paymentWaitMs : LIMITS.sagaRetryInPlaceMs)) return false;
  if (!(await nap(ms, run.lease.signal))) return false;
  if (run.lease.signal.aborted) throw new FencedOut();
  return true;
}

/** Short pauses are slept through with the lease held; longer ones are a timer in the database. */
async function pause(
  deps: Parts,
  run: Run,
  { until, isBusy }: Pick<Postponed, 'until' | 'isBusy'>,
): Promise<boolean> {
  if (await sleptThrough(deps, run, { until, isBusy })) return false;
  const { state } = run;
  const wakeAt = earliest(until, state.pivotPassed ? undefined : run.operation.deadline) ?? until;
  const outcome = await commitPatiently(deps, run, {
    guard: state.pivotPassed || state.turnBack !== undefined ? {} : { cancel: true },
    change: {
      state,
      lease: 'wait',
      status: state.status === 'compensating' ? 'compensating' : 'waiting',
      wakeAt,
      events: [],
      at: run.now(),
    },
  });
  return outcome.kind === 'written';
}

/** The step that a command is about. */
function stepOf(run: Run, command: Command): string | undefined {
  return 'step' in command ? run.shapes[command.step]?.name : stuckStepOf(run);
}

/** The one that keeps an operation from going on: forward the first that is not done, back the last. */
function stuckStepOf({ state, shapes }: Run): string | undefined {
  if (state.turnBack !== undefined) {
    return state.steps.findLast(({ status }) => status === 'undoing')?.name;
  }
  const index = state.steps.findIndex(({ status }) => status !== 'done');
  return shapes[index === -1 ? state.steps.length : index]?.name;
}

interface Stuck {
  readonly error: Failure;
  readonly step: string | undefined;
}

async function park(deps: EngineDeps, run: Run, { error, step }: Stuck): Promise<void> {
  const { code, detail } = error;
  const at = run.now();
  const parked = { at, by: run.worker, code, detail, ...(step !== undefined && { step }) };
  const ending = { status: 'needs_attention', error, parked } as const;
  const change = endChange(run, ending, { state: run.state, events: [] });
  const outcome = await commitPatiently(deps, run, { guard: {}, change });
  if (outcome.kind === 'written') tellEnd(deps, run, outcome.change);
  const { _id: operationId, type } = run.operation;
  deps.logger.error({ operationId, type, code: error.code }, 'operation.needs-attention');
}

function tellEnd(deps: EngineDeps, { operation }: Run, { status, at }: JournalChange): void {
  const { type, _id: operationId } = operation;
  deps.metrics.settled.inc({ type, status });
  deps.metrics.settleLatency.observe(
    Math.max(0, (at.getTime() - operation.createdAt.getTime()) / 1_000),
  );
  deps.hints.announce([{ operationId }]);
}

/** The lease goes back at once, so that whoever gets the job next need not wait for its end. */
async function giveBack(deps: EngineDeps, run: Run, reason: AppError): Promise<never> {
  const { state } = run;
  const status = state.status === 'compensating' ? 'compensating' : 'accepted';
  await commitPatiently(deps, run, {
    guard: {},
    change: { state, lease: 'release', status, events: [], at: run.now() },
  });
  throw reason;
}

/**
 * Commits and moves the run along. A database that is away is waited for as long as the lease
 * lasts: repeating the same commit is safe.
 *
 * @throws FencedOut when the operation is no longer ours.
 */
async function commitPatiently(
  deps: EngineDeps,
  run: Run,
  part: CommitPart,
): Promise<CommitOutcome> {
  const commit: Commit = { ...part, ref: refOf(run) };
  for (let tries = 1; ; tries += 1) {
    try {
      const outcome = await deps.journal.commit(commit);
      if (outcome.kind === 'fenced') throw new FencedOut();
      if (outcome.kind === 'overtaken') run.requests = outcome.requests;
      if (outcome.kind === 'aborted') run.wasAborted = true;
      if (outcome.kind === 'written') {
        run.state = outcome.change.state;
        run.stored = run.state;
        run.wasAborted = false;
        run.rev += 1;
        if (outcome.change.leavesLine === true) run.isInLine = false;
      }
      return outcome;
    } catch (error) {
      if (!isPassing(error) || run.lease.signal.aborted) throw error;
      const { random } = deps;
      const ms = fullJitterMs(tries, { baseMs: 50, capMs: 1_000, random });
      await deps.clock.sleep(ms, run.lease.signal);
    }
  }
}
