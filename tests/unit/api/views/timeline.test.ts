import { describe, expect, it } from 'vitest';
import { timelineView } from '../../../../api/views/timeline.ts';
import { LIMITS } from '../../../../config/limits.ts';
import {
  NEW_SAGA,
  type SagaState,
  type StepShape,
  stepAbsent,
  stepAsked,
  stepDone,
  stepStarted,
  stepUnsure,
  turnedBack,
  undoDone,
  undoFailed,
  undoStarted,
} from '../../../../core/saga/machine.ts';
import { interventionOn } from '../../../../core/operations/intervention.ts';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { operationOf } from '../../../support/memory-ledger.ts';

/** The timeline as it is read from what the machine has recorded. */
const PLAN: readonly StepShape[] = [
  {
    name: 'payout',
    redo: 'query',
    isPivot: false,
    attemptsMax: 8,
    undoAttemptsMax: 12,
    hasCompensation: true,
  },
];
const at = (seconds: number): Date => new Date(1_000_000 + seconds * 1_000);
const because = (detail: string) => ({ code: 'provider_unavailable', detail }) as const;

function start(state: SagaState, attempt: number, seconds: number): SagaState {
  const by = `worker-${String(attempt)}`;
  return stepStarted(PLAN, state, { step: 0, attempt, epoch: attempt, at: at(seconds), by });
}

function fail(state: SagaState, attempt: number, seconds: number): SagaState {
  const error = because(`failure ${String(attempt)}`);
  return stepUnsure(state, 0, { attempt, error, at: at(seconds), retryAt: at(seconds) });
}

/** An attempt of ten seconds: it fails after two, and after four the provider knows nothing of it. */
function failedOnce(state: SagaState, attempt: number): SagaState {
  const seconds = attempt * 10;
  const failed = fail(start(state, attempt, seconds), attempt, seconds + 2);
  const asked = stepAsked(failed, 0, { at: at(seconds + 4), by: 'asker' });
  return stepAbsent(PLAN, asked, 0);
}

function times<T>(count: number, state: T, act: (state: T, number: number) => T): T {
  return Array.from({ length: count }, (_, index) => index + 1).reduce(act, state);
}

function eventsOf(state: SagaState, fields: Partial<OperationDoc> = {}) {
  const operation = { ...operationOf('test.timeline', {}), steps: state.steps, ...fields };
  const { events } = timelineView(operation, { entries: [], audit: [] });
  return events
    .filter(({ event }) => event !== 'accepted' && event !== 'enqueued')
    .map(({ at: when, event, attempt, detail }) => ({
      second: (Date.parse(when) - 1_000_000) / 1_000,
      event,
      ...(attempt !== undefined && { attempt }),
      ...(detail !== undefined && { detail }),
    }));
}

describe('the timeline of a step', () => {
  it('that fails nine times and then succeeds shows all of it, each with its own times', () => {
    const failed = times(9, NEW_SAGA, failedOnce);
    const done = stepDone(start(failed, 10, 100), 0, { at: at(101), result: undefined });
    const nine = Array.from({ length: 9 }, (_, index) => index + 1);
    expect(eventsOf(done)).toEqual([
      ...nine.flatMap((attempt) => [
        { second: attempt * 10, event: 'step.started', attempt },
        {
          second: attempt * 10 + 2,
          event: 'step.failed',
          attempt,
          detail: `failure ${String(attempt)}`,
        },
        { second: attempt * 10 + 4, event: 'step.asked', attempt },
      ]),
      { second: 100, event: 'step.started', attempt: 10 },
      { second: 101, event: 'step.completed', attempt: 10 },
    ]);
  });

  it('whose questions fail as well shows each of them, and what it is known by in the end', () => {
    const failed = fail(start(NEW_SAGA, 1, 10), 1, 12);
    const asked = (state: SagaState, number: number): SagaState =>
      fail(stepAsked(state, 0, { at: at(number * 20), by: 'asker' }), number + 1, number * 20 + 5);
    const unanswered = times(3, failed, asked);
    const known = stepAsked(unanswered, 0, { at: at(90), by: 'asker' });
    const done = stepDone(known, 0, { at: at(91), result: undefined });
    expect(eventsOf(done).map(({ second, event }) => `${String(second)} ${event}`)).toEqual([
      '10 step.started',
      '12 step.failed',
      '20 step.asked',
      '25 step.failed',
      '40 step.asked',
      '45 step.failed',
      '60 step.asked',
      '65 step.failed',
      '90 step.asked',
      '91 step.completed',
    ]);
  });

  it('that is taken back shows every attempt at that, and why it was', () => {
    const failed = fail(start(NEW_SAGA, 1, 10), 1, 12);
    const back = turnedBack(PLAN, failed, { status: 'canceled', error: because('asked for') });
    const undo = (state: SagaState, attempt: number): SagaState =>
      undoStarted(state, { step: 0, attempt, epoch: 1, at: at(20 * attempt), by: 'undoer' });
    const undone = times(2, back, (state, attempt) =>
      undoFailed(undo(state, attempt), 0, {
        error: because(`no void ${String(attempt)}`),
        at: at(20 * attempt + 5),
        retryAt: at(0),
      }),
    );
    expect(eventsOf(undoDone(undo(undone, 3), 0, at(61)))).toEqual([
      { second: 10, event: 'step.started', attempt: 1 },
      { second: 12, event: 'step.failed', attempt: 1, detail: 'failure 1' },
      { second: 20, event: 'compensation.started', attempt: 1 },
      { second: 25, event: 'compensation.failed', attempt: 1, detail: 'no void 1' },
      { second: 40, event: 'compensation.started', attempt: 2 },
      { second: 45, event: 'compensation.failed', attempt: 2, detail: 'no void 2' },
      { second: 60, event: 'compensation.started', attempt: 3 },
      { second: 61, event: 'compensation.completed', attempt: 3 },
    ]);
  });

  it('keeps what was before a retry by hand: attempts, and the parking with its step and reason', () => {
    const failed = times(3, NEW_SAGA, failedOnce);
    const parked = fail(start(failed, 4, 40), 4, 42);
    const parking = {
      at: at(43),
      step: 'payout',
      by: 'worker-4',
      code: 'step_exhausted',
      detail: 'gave up',
    } as const;
    const operation: OperationDoc = {
      ...operationOf('test.timeline', {}),
      status: 'needs_attention',
      steps: parked.steps,
      pivotPassed: true,
      parkings: [parking],
    };
    const retry = { kind: 'retry', actor: 'ann', note: 'again' } as const;
    const readSignal = (): never => {
      throw new Error('no signal');
    };
    const { set } = interventionOn(operation, retry, { now: at(50), readSignal });
    const steps = set['steps'] as OperationDoc['steps'];
    const before = eventsOf(parked, operation);
    expect(before.filter(({ event }) => event === 'parked')).toEqual([
      { second: 43, event: 'parked', detail: 'gave up' },
    ]);
    expect(eventsOf(parked, { ...operation, status: 'accepted', ...(steps && { steps }) })).toEqual(
      before,
    );
    const renewed: SagaState = { ...parked, steps: steps ?? [] };
    const done = stepDone(start(renewed, 1, 60), 0, { at: at(61), result: undefined });
    expect(eventsOf(done, { parkings: [parking] })).toEqual([
      ...before,
      { second: 60, event: 'step.started', attempt: 1 },
      { second: 61, event: 'step.completed', attempt: 1 },
    ]);
  });

  it('keeps so many attempts and says how many are gone', () => {
    const many = 100;
    const done = stepDone(start(times(many, NEW_SAGA, failedOnce), many + 1, 2_000), 0, {
      at: at(2_001),
      result: undefined,
    });
    const [record] = done.steps;
    expect(record?.earlier).toHaveLength(LIMITS.stepTriesKept);
    expect(record?.triesDropped).toBe(2 * many - LIMITS.stepTriesKept);
    const [first] = eventsOf(done);
    expect(first).toMatchObject({ event: 'step.omitted' });
  });
});
