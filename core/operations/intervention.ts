import { LIMITS } from '../../config/limits.ts';
import { assertNever } from '../kernel/assert.ts';
import { type Json, canonicalJson } from '../kernel/canonical.ts';
import { AppError, type Failure } from '../kernel/errors.ts';
import { laterOf } from '../ledger/book.ts';
import { type OperationDoc, isPlatformsOwn } from './operation.ts';
import { assertMove, isTerminal } from './status.ts';
import { type StepRecord, logged, undosLogged } from './step-record.ts';

/** What may be done to an operation from outside. */
export type InterventionAction = (
  | { readonly kind: 'signal'; readonly name: string; readonly data: Json; readonly actor: string }
  | { readonly kind: 'cancel'; readonly actor: string }
  /** `assume`: what the human has found out about a step whose outcome is unknown. */
  | {
      readonly kind: 'retry';
      readonly actor: string;
      readonly note: string;
      readonly assume?: 'applied' | 'absent';
      /** `back`: what has happened is taken back, instead of going on. */
      readonly direction?: 'forward' | 'back';
    }
  | {
      readonly kind: 'resolve';
      readonly actor: string;
      readonly note: string;
      readonly status: (typeof RESOLVED_STATUSES)[number];
    }
) & {
  /** Of the request that asked for it: for the audit. */
  readonly correlationId?: string;
};

/** What a human may say that an operation has come to. */
export const RESOLVED_STATUSES = ['succeeded', 'rejected', 'compensated', 'canceled'] as const;

/** What an intervention makes of an operation. */
export interface Intervention {
  readonly set: Readonly<Record<string, unknown>>;
  readonly unset: readonly string[];
  /** It has something to do at once. */
  readonly wakes: boolean;
  /** Whoever holds it must not go on from what it knew. */
  readonly fences: boolean;
  readonly isEnd: boolean;
}

export const SIGNAL_NAME = /^[a-z][a-z0-9-]{0,39}$/;

/**
 * The data of a signal as the operation's type takes it.
 *
 * @throws AppError `invalid_request` when the type knows no such signal, or its data does not fit.
 */
export type ReadSignal = (
  operation: Pick<OperationDoc, 'type' | 'typeVersion'>,
  name: string,
  data: Json,
) => Json;

/**
 * Pure.
 *
 * @throws AppError `illegal_state` or `not_cancelable` when the state does not allow it.
 */
export function interventionOn(
  operation: OperationDoc,
  action: InterventionAction,
  { now, readSignal }: { readonly now: Date; readonly readSignal: ReadSignal },
): Intervention {
  switch (action.kind) {
    case 'signal':
      return signaled(operation, { ...action, at: now }, readSignal);
    case 'cancel':
      return canceled(operation, action.actor, now);
    case 'retry':
      return retried(operation, action);
    case 'resolve':
      return resolved(operation, action, now);
    default:
      return assertNever(action);
  }
}

const NOTHING = { set: {}, unset: [], wakes: false, fences: false, isEnd: false };

type SignalAction = Extract<InterventionAction, { kind: 'signal' }> & { readonly at: Date };

/**
 * A signal answers a question that a step has asked. The first valid one counts: repeating it
 * changes nothing, contradicting it is refused.
 */
function signaled(
  operation: OperationDoc,
  { name, data: sent, actor, at }: SignalAction,
  readSignal: ReadSignal,
): Intervention {
  if (!SIGNAL_NAME.test(name)) {
    throw new AppError('invalid_request', 'That is not the name of a signal');
  }
  const earlier = operation.signals?.[name];
  if (earlier !== undefined && isSame(earlier.data, sent)) return NOTHING;
  const why = whyNotSignaled(operation);
  if (why !== undefined) throw illegal(operation, why);
  const data = readSignal(operation, name, sent);
  if (earlier !== undefined) {
    if (isSame(earlier.data, data)) return NOTHING;
    throw illegal(operation, `The signal ${name} has come before, with other data`);
  }
  if (!isAsked(operation, name)) {
    throw illegal(
      operation,
      `No step of it waits for ${name} now; \`waitingFor\` says when one does`,
    );
  }
  const set = { [`signals.${name}`]: { data, at, by: actor } };
  if (operation.status !== 'waiting') return { ...NOTHING, set };
  return { ...woken(operation), set: { ...set, status: 'accepted' } };
}

function isSame(one: Json, other: Json): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function isAsked({ steps = [], turnBack }: OperationDoc, name: string): boolean {
  if (turnBack !== undefined) return false;
  return steps.some(
    ({ status, waitingFor }) => status === 'waiting' && waitingFor?.signal === name,
  );
}

function whyNotSignaled(operation: OperationDoc): string | undefined {
  const { lane, type, status, signals = {} } = operation;
  if (isPlatformsOwn(operation)) return PLATFORMS_OWN;
  if (lane !== undefined) return `A ${type} has no steps that could wait for a signal`;
  if (isTerminal(status)) return `The operation is ${status} and waits for nothing`;
  const max = LIMITS.signalsMax;
  return Object.keys(signals).length >= max ? `An operation takes ${max} signals` : undefined;
}

const PLATFORMS_OWN = 'It is the platform’s own work, which nobody else may change';

function woken(operation: OperationDoc): Intervention {
  assertMove(operation.status, 'accepted');
  return { ...NOTHING, unset: ['runAt'], wakes: true };
}

/** At once while nobody is at work on it; else at the next step boundary, if before the pivot. */
function canceled(operation: OperationDoc, actor: string, at: Date): Intervention {
  const { status, steps = [], cancelRequested } = operation;
  if (status === 'canceled' || cancelRequested !== undefined) return NOTHING;
  const why = whyNotCancelable(operation);
  if (why !== undefined) {
    throw new AppError('not_cancelable', why, { context: { operationId: operation._id } });
  }
  const request = { cancelRequested: { at, by: actor } };
  if (status === 'running') return { ...NOTHING, set: request };
  if (steps.length === 0) {
    assertMove(status, 'canceled');
    const set = { ...request, status: 'canceled', completedAt: laterOf(at, operation.createdAt) };
    return { set, unset: OPEN_ONLY, wakes: false, fences: true, isEnd: true };
  }
  if (status === 'accepted') return { ...NOTHING, set: request };
  return { ...woken(operation), set: { ...request, status: 'accepted' } };
}

/** What only an open operation has. */
const OPEN_ONLY = ['nextCheckAt', 'runAt', 'line', 'lineUntil', 'creates'];

const CANCELABLE: ReadonlySet<OperationDoc['status']> = new Set(['accepted', 'running', 'waiting']);

function whyNotCancelable(operation: OperationDoc): string | undefined {
  const { status, pivotPassed } = operation;
  if (isPlatformsOwn(operation)) return PLATFORMS_OWN;
  if (status === 'compensating') return 'The operation is being taken back already';
  if (!CANCELABLE.has(status)) return `The operation is ${status}`;
  return pivotPassed === true ? 'The operation has passed its point of no return' : undefined;
}

function illegal({ _id }: OperationDoc, detail: string): AppError {
  return new AppError('illegal_state', detail, { context: { operationId: _id } });
}

type Retry = Extract<InterventionAction, { kind: 'retry' }>;

function retried(operation: OperationDoc, retry: Retry): Intervention {
  const why = whyNotRetried(operation, retry);
  if (why !== undefined) throw illegal(operation, why);
  const { steps, turnBack } = operation;
  const isBack = retry.direction === 'back' || turnBack !== undefined;
  const status = isBack ? 'compensating' : 'accepted';
  assertMove(operation.status, status);
  const set = { status, interruptions: 0 };
  const base = { ...NOTHING, unset: ['error', 'runAt'], wakes: true, fences: true };
  if (steps === undefined) return { ...base, set };
  const renewed = assumed(attemptsRenewed(steps, operation.pivotPassed === true), retry.assume);
  const back = isBack && turnBack === undefined ? turnedByHand(operation, renewed) : {};
  return { ...base, set: { ...set, ...back, steps: renewed } };
}

function whyNotRetried(operation: OperationDoc, { assume, direction }: Retry): string | undefined {
  const { status, steps, turnBack } = operation;
  if (status !== 'needs_attention') {
    return `Only what needs attention is retried, and this is ${status}`;
  }
  if (assume !== undefined && steps?.some(isUnknown) !== true) {
    return 'No step of it has an unknown outcome, so there is nothing to assume';
  }
  if (direction === 'back' && steps === undefined) return 'It has no steps to take back';
  return direction === 'forward' && turnBack !== undefined
    ? 'It is being taken back already'
    : undefined;
}

/** Possible while the point of no return has not been passed, or is known not to have been after all. */
function turnedByHand(operation: OperationDoc, steps: readonly StepRecord[]) {
  const { pivotPassed, error } = operation;
  const pivot = steps.find(({ isPivot }) => isPivot === true);
  const isWithoutEffect = pivot?.status === 'absent' || pivot?.status === 'refused';
  if (pivotPassed === true && !isWithoutEffect) {
    throw illegal(operation, 'It has passed its point of no return: it can only go forward');
  }
  const reason: Failure = error ?? { code: 'canceled', detail: 'Taken back by hand' };
  return { pivotPassed: false, turnBack: { status: 'rejected', error: reason } };
}

function assumed(steps: readonly StepRecord[], assume: Retry['assume']): readonly StepRecord[] {
  if (assume === undefined) return steps;
  const status = assume === 'applied' ? 'done' : 'absent';
  return steps.map((record) => (isUnknown(record) ? { ...record, status } : record));
}

function isUnknown({ status }: StepRecord): boolean {
  return status === 'unsure' || status === 'started';
}

function resolved(
  operation: OperationDoc,
  { status, note, actor }: Extract<InterventionAction, { kind: 'resolve' }>,
  at: Date,
): Intervention {
  if (isPlatformsOwn(operation)) throw illegal(operation, PLATFORMS_OWN);
  if (operation.status !== 'needs_attention') {
    throw illegal(
      operation,
      `Only what needs attention is resolved, and this is ${operation.status}`,
    );
  }
  assertMove(operation.status, status);
  const resolution = { resolution: { note, at, by: actor } };
  const unset = status === 'succeeded' ? ['error', 'nextCheckAt'] : ['nextCheckAt'];
  const error: Failure | undefined = operation.error;
  const kept = status !== 'succeeded' && error !== undefined ? { error } : {};
  const set = { ...resolution, ...kept, status, completedAt: laterOf(at, operation.createdAt) };
  return { set, unset, wakes: false, fences: true, isEnd: true };
}

/** A human says that what is stuck may be tried anew: its attempts count from zero again. */
function attemptsRenewed(
  steps: readonly StepRecord[],
  pivotPassed: boolean,
): readonly StepRecord[] {
  return steps.map((old): StepRecord => {
    if (old.status === 'done') return old;
    const { retryAt: _retry, postponedSince: _since, tried: _tried, ...record } = withoutUndo(old);
    // What went before it stands in the log from now on; the record itself begins anew.
    const renewed = { ...record, ...logged(old), ...undosLogged(old), attempt: 0 };
    if (old.status !== 'refused' || !pivotPassed) return renewed;
    const { error: _error, finishedAt: _finished, ...open } = renewed;
    return { ...open, status: 'absent' };
  });
}

function withoutUndo(old: StepRecord): StepRecord {
  const { undoAttempt: _attempt, undoStartedAt: _at, undoBy: _by, ...rest } = old;
  const { undoError: _error, undoFailedAt: _failed, ...record } = rest;
  return record;
}
