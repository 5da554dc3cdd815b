import { describe, expect, it } from 'vitest';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { STATUSES, isTerminal } from '../../../../core/operations/status.ts';
import type { StepRecord } from '../../../../core/operations/step-record.ts';
import { type WaitingSight, operationWaitsOn } from '../../../../core/operations/waiting.ts';
import { operationOf } from '../../../support/memory-ledger.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
const NOW = at(30);

const base: OperationDoc = {
  ...operationOf('wallet.credit', { userId: 'ann', currency: 'EUR', amount: '1' }),
  createdAt: at(0),
  updatedAt: at(1),
  nextCheckAt: at(45),
  dispatch: { queue: 'settlement-3', seq: 1, at: at(2) },
  lane: 3,
};
const { lane: _lane, ...withoutLane } = base;
const saga: OperationDoc = { ...withoutLane, dispatch: { ...base.dispatch, queue: 'saga' } };

const step = (fields: Partial<StepRecord> & Pick<StepRecord, 'status'>): StepRecord => ({
  name: 'payout',
  attempt: 1,
  epoch: 1,
  startedAt: at(10),
  ...fields,
});

const asked = (operation: Partial<OperationDoc>, sight: Partial<WaitingSight> = {}) =>
  operationWaitsOn({ ...saga, ...operation }, { now: NOW, ...sight });

const held = { owner: 'w', until: at(40) };
const failure = { code: 'provider_unavailable', detail: 'x' } as const;
const throttled = { code: 'provider_throttled', detail: 'x' } as const;
const unsure = step({ status: 'unsure', error: failure, failedAt: at(20), retryAt: at(50) });
const open = { name: 'http', state: 'open', until: at(60) } as const;
const closed = { name: 'http', state: 'closed' } as const;
const waits = { status: 'waiting', runAt: at(50) } as const;

const ROWS: readonly (readonly [string, Partial<OperationDoc>, Partial<WaitingSight>, object])[] = [
  [
    'a lane whose worker is there',
    { ...base },
    { laneLease: held },
    { kind: 'lane', subject: 'lane 3', since: at(0) },
  ],
  ['a lane, as its document tells', { ...base }, {}, { kind: 'lane', subject: 'lane 3' }],
  ['a lane of another layout', { ...base, lane: 1203 }, {}, { kind: 'lane', subject: 'lane 3' }],
  ['nobody who has the lane', { ...base }, { laneLease: {} }, { kind: 'lease', since: at(0) }],
  [
    'a lane whose worker died',
    { ...base },
    { laneLease: { owner: 'w', until: at(20) } },
    { kind: 'lease', since: at(20) },
  ],
  [
    'somebody who has paused it, whatever stands before it',
    { status: 'waiting', pausedBy: 'pau_1', line: 'ann' },
    { ahead: { id: 'op_1' } },
    { kind: 'pause', subject: 'pau_1' },
  ],
  [
    'one before it in its line',
    { ...base },
    { laneLease: held, ahead: { id: 'op_1' } },
    { kind: 'line', subject: 'op_1' },
  ],
  [
    'Redis',
    { ...base },
    { laneLease: held, job: 'away' },
    { kind: 'redis-away', subject: 'settlement-3' },
  ],
  [
    'a job that is gone',
    { ...base },
    { laneLease: held, job: 'gone' },
    { kind: 'recovery', expectedAt: at(45) },
  ],
  [
    'a worker of the saga pool',
    {},
    { job: 'queued' },
    { kind: 'queue', subject: 'saga', since: at(2) },
  ],
  [
    'the job of a saga that is gone',
    {},
    { job: 'gone' },
    { kind: 'recovery', since: at(2), expectedAt: at(45) },
  ],
  ['Redis, being a saga', {}, { job: 'away' }, { kind: 'redis-away', subject: 'saga' }],
  [
    'the worker that has it',
    { status: 'running', owner: 'w/1', leaseUntil: at(40) },
    {},
    { kind: 'lease', subject: 'w', since: at(1), expectedAt: at(40) },
  ],
  [
    'a provider that is called',
    { status: 'running', owner: 'w/1', leaseUntil: at(40), steps: [step({ status: 'started' })] },
    { provider: closed },
    { kind: 'provider', subject: 'http', since: at(10) },
  ],
  [
    'recovery, its worker being dead',
    { status: 'running', owner: 'w/1', leaseUntil: at(20) },
    {},
    { kind: 'recovery', since: at(20), expectedAt: at(45) },
  ],
  [
    'its line',
    { status: 'waiting', line: 'l' },
    { ahead: { id: 'op_2', until: at(55) } },
    { kind: 'line', subject: 'op_2', expectedAt: at(55) },
  ],
  [
    'its line, as its document tells',
    { status: 'waiting', line: 'l' },
    {},
    { kind: 'line', subject: base.orderingKey, expectedAt: at(45) },
  ],
  [
    'a signal',
    {
      status: 'waiting',
      steps: [
        step({
          status: 'waiting',
          waitingFor: { signal: 's', until: at(59) },
          waitedSince: at(12),
        }),
      ],
    },
    {},
    { kind: 'signal', subject: 's', since: at(12), expectedAt: at(59) },
  ],
  [
    'an approval',
    { status: 'waiting', steps: [step({ status: 'waiting', waitingFor: { signal: 's' } })] },
    { isForApproval: true },
    { kind: 'approval', subject: 's', since: at(10) },
  ],
  ['its time', waits, {}, { kind: 'timer', since: at(0), expectedAt: at(50) }],
  [
    'timers that are late',
    { status: 'waiting', runAt: at(20) },
    {},
    { kind: 'recovery', since: at(20) },
  ],
  [
    'another attempt',
    { ...waits, steps: [unsure] },
    { provider: closed },
    { kind: 'retry', subject: 'payout, attempt 2', since: at(20), expectedAt: at(50) },
  ],
  [
    'a breaker',
    { ...waits, steps: [unsure] },
    { provider: open },
    { kind: 'breaker', subject: 'http', since: at(20), expectedAt: at(50) },
  ],
  [
    'a breaker before its first call',
    waits,
    { provider: open },
    { kind: 'breaker', subject: 'http' },
  ],
  [
    'what a provider has asked for',
    { ...waits, steps: [{ ...unsure, error: throttled }] },
    { provider: closed },
    { kind: 'rate', subject: 'http' },
  ],
  [
    'the hold of a provider',
    waits,
    { provider: { name: 'http', state: 'held' } },
    { kind: 'rate', subject: 'http' },
  ],
  [
    'a place at its provider',
    waits,
    { provider: closed },
    { kind: 'provider', subject: 'http', expectedAt: at(50) },
  ],
  [
    'another attempt to take a step back',
    {
      status: 'compensating',
      runAt: at(50),
      steps: [step({ status: 'undoing', undoError: failure, undoFailedAt: at(21) })],
    },
    {},
    { kind: 'retry', since: at(21), expectedAt: at(50) },
  ],
  [
    'a worker that takes it back',
    { status: 'compensating' },
    { job: 'queued' },
    { kind: 'queue', subject: 'saga' },
  ],
  [
    'a person',
    {
      status: 'needs_attention',
      parkings: [{ at: at(22), step: 'payout', code: 'outcome_unknown', detail: 'x' }],
    },
    {},
    { kind: 'attention', subject: 'payout', since: at(22) },
  ],
];

describe('an operation waits for', () => {
  it.each(ROWS)('%s', (_name, operation, sight, expected) => {
    expect(asked(operation, sight)).toMatchObject(expected);
  });

  it('nothing once it is terminal, and for something in every other status', () => {
    for (const status of STATUSES) {
      expect(asked({ status }) === undefined, status).toBe(isTerminal(status));
    }
  });
});
