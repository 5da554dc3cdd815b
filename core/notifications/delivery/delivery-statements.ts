import { LIMITS } from '../../../config/limits.ts';
import { assertNever } from '../../kernel/assert.ts';
import type { DeliveryId, DeliveryStatus } from './delivery.ts';
import type { DeliveryChange, DeliveryWrite } from './delivery-write.ts';

/** Writes that differ in nothing but whose they are, who had claimed it, and the calls that were made. */
type Alike = readonly [DeliveryWrite, ...DeliveryWrite[]];

interface Statement {
  readonly filter: {
    readonly _id: { readonly $in: DeliveryId[] };
    readonly status: DeliveryStatus | { readonly $in: DeliveryStatus[] };
    readonly owner?: string;
    readonly $expr?: Record<string, unknown>;
  };
  readonly update: Record<string, unknown>[];
}

/** Each goes in one statement: an update of its own for each costs more than twice as much. */
export function alikeOf(writes: readonly DeliveryWrite[]): readonly Alike[] {
  const byShape = new Map<string, [DeliveryWrite, ...DeliveryWrite[]]>();
  for (const write of writes) {
    const { owner, jobId, change } = write;
    const { attempts, ...rest } = change;
    const shape = JSON.stringify([owner === undefined, jobId, attempts.length > 0, rest]);
    let key = shape;
    // One delivery twice, by two claims of it: a statement knows each by its id.
    while (byShape.get(key)?.some(({ id }) => id === write.id) === true) key += '+';
    const alike = byShape.get(key);
    if (alike === undefined) byShape.set(key, [write]);
    else alike.push(write);
  }
  return [...byShape.values()];
}

export function statementOf(alike: Alike): Statement {
  const [first, ...others] = alike;
  const ids = alike.map(({ id }) => id);
  const update = updateOf(alike);
  if (first.owner === undefined) {
    return { filter: { _id: { $in: ids }, status: 'pending' }, update };
  }
  const held = { _id: { $in: ids }, status: 'sending' } as const;
  const owners = alike.map(({ owner }) => owner ?? '');
  const isOnes = others.length === 0 || new Set(owners).size === 1;
  return isOnes
    ? { filter: { ...held, owner: owners[0] ?? '' }, update }
    : { filter: { ...held, $expr: { $eq: ['$owner', ownOf(ids, owners)] } }, update };
}

/** What is still open, or not known: a message that has arrived has arrived. */
const OPEN: readonly DeliveryStatus[] = ['pending', 'sending', 'uncertain'];

/**
 * For those of a statement that have lost their claim meanwhile: what was sent is recorded as sent, if
 * nobody has had it sent again since. Nothing else that comes late changes anything.
 */
export function lateStatementOf(alike: Alike): Statement | undefined {
  const [{ owner, change }] = alike;
  if (owner === undefined || change.kind !== 'final' || change.status !== 'sent') return undefined;
  const ids = alike.map(({ id }) => id);
  const generations = alike.map(({ resends = 0 }) => resends);
  const generation = { $ifNull: ['$resends', 0] };
  const filter = {
    _id: { $in: ids },
    status: { $in: [...OPEN] },
    $expr: { $eq: [generation, ownOf(ids, generations)] },
  };
  return { filter, update: updateOf(alike) };
}

function updateOf(alike: Alike): Record<string, unknown>[] {
  const [{ change, jobId }] = alike;
  switch (change.kind) {
    case 'final':
      return finalUpdate(change, appended(alike));
    case 'pending':
      return pendingUpdate(change, { attempts: appended(alike), jobId });
    default:
      return assertNever(change);
  }
}

/** Of each document its own: the value that stands where its id does. */
function ownOf(ids: readonly string[], values: readonly unknown[]) {
  if (ids.length === 1) return { $literal: values[0] };
  return { $arrayElemAt: [{ $literal: values }, { $indexOfArray: [{ $literal: ids }, '$_id'] }] };
}

function appended(alike: Alike): Record<string, unknown> {
  const all = alike.map(({ change }) => change.attempts);
  if (all.flat().length === 0) return {};
  const own = ownOf(
    alike.map(({ id }) => id),
    all,
  );
  const both = { $concatArrays: ['$attempts', own] };
  return { attempts: { $slice: [both, -LIMITS.deliveryAttemptsKept] } };
}

type Final = DeliveryChange & { readonly kind: 'final' };
type Pending = DeliveryChange & { readonly kind: 'pending' };

/** A pipeline, so that the times are the database's. */
function finalUpdate({ status, reason, used }: Final, attempts: object) {
  const set = {
    status,
    ...attempts,
    ...(reason !== undefined && { reason: { $literal: reason } }),
    ...(used > 0 && { attemptsUsed: { $add: ['$attemptsUsed', used] } }),
    updatedAt: '$$NOW',
    completedAt: '$$NOW',
  };
  const gone = ['owner', 'leaseUntil', 'nextCheckAt', 'notBefore', 'jobId', 'pausedBy'];
  return [{ $set: set }, { $unset: reason === undefined ? [...gone, 'reason'] : gone }];
}

interface Parts {
  readonly attempts: object;
  readonly jobId: string | undefined;
}

function pendingUpdate(change: Pending, { attempts, jobId }: Parts) {
  const { delayMs, lifeMs, isThrottled, reason, deferral, used, pausedBy } = change;
  const due = { $add: ['$$NOW', delayMs] };
  return [
    {
      $set: {
        status: 'pending',
        notBefore: due,
        nextCheckAt: { $add: ['$$NOW', delayMs + LIMITS.deliveryRecheckMs] },
        updatedAt: '$$NOW',
        ...attempts,
        ...(jobId !== undefined && { jobId }),
        ...(used > 0 && { attemptsUsed: { $add: ['$attemptsUsed', used] } }),
        ...(isThrottled === true && { throttles: { $add: [{ $ifNull: ['$throttles', 0] }, 1] } }),
        ...(lifeMs !== undefined && prolonged(delayMs + lifeMs)),
        ...(reason !== undefined && { reason: { $literal: reason } }),
        ...(pausedBy !== undefined && { pausedBy }),
        ...(deferral !== undefined && {
          deferral: {
            code: deferral.code,
            ...(deferral.provider !== undefined && { provider: { $literal: deferral.provider } }),
            at: '$$NOW',
            until: due,
            times: { $add: [{ $ifNull: ['$deferral.times', 0] }, 1] },
          },
        }),
      },
    },
    { $unset: ['owner', 'leaseUntil', ...(pausedBy === undefined ? ['pausedBy'] : [])] },
  ];
}

function prolonged(ms: number) {
  const latest = { $max: ['$expiresAt', { $add: ['$$NOW', ms] }] };
  return { expiresAt: { $min: [latest, '$deadline'] }, isProlonged: true }; // without one: the latest
}
