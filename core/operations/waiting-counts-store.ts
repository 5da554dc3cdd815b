import type { Db, Document } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { WAITING_LIMITS } from '../../config/waiting-limits.ts';
import { collection } from '../infra/collections.ts';
import type { Clock } from '../kernel/clock.ts';
import type { WaitingKind } from '../kernel/waiting-on.ts';
import type { OperationDoc } from './operation.ts';

export type WaitingCounts = Readonly<Partial<Record<WaitingKind, number>>>;

/** What is open, and what waits for a person. */
const STATUSES = ['accepted', 'running', 'waiting', 'compensating', 'needs_attention'] as const;

const isThere = (field: string): Document => ({ $ne: [{ $type: field }, 'missing'] });
const isPast = (field: string): Document => ({
  $and: [isThere(field), { $lte: [field, '$$NOW'] }],
});
const lastStep = { $last: { $ifNull: ['$steps', []] } };
const hasFailed = {
  $let: {
    vars: { step: lastStep },
    in: {
      $or: [
        { $ne: [{ $type: '$$step.undoError' }, 'missing'] },
        {
          $and: [
            { $ne: [{ $type: '$$step.error' }, 'missing'] },
            { $eq: [{ $type: '$$step.finishedAt' }, 'missing'] },
          ],
        },
      ],
    },
  },
};

/**
 * As far as a document tells: the same order of questions as `operationWaitsOn`, which a test holds
 * it against. Breakers, job presence and the like need look-ups, and are under the kind beside them.
 */
const KIND_OF_DOCUMENT: Document = {
  $switch: {
    branches: [
      { case: { $eq: ['$status', 'needs_attention'] }, then: 'attention' },
      {
        case: { $and: [{ $eq: ['$status', 'accepted'] }, isThere('$lane')] },
        then: 'lane',
      },
      { case: { $eq: ['$status', 'accepted'] }, then: 'queue' },
      { case: isPast('$leaseUntil'), then: 'recovery' },
      { case: { $eq: ['$status', 'running'] }, then: 'lease' },
      { case: isThere('$leaseUntil'), then: 'lease' },
      {
        case: {
          $and: [
            { $eq: ['$status', 'waiting'] },
            isThere('$line'),
            { $not: isThere('$lineUntil') },
          ],
        },
        then: 'line',
      },
      { case: { $in: ['waiting', { $ifNull: ['$steps.status', []] }] }, then: 'signal' },
      { case: isPast('$runAt'), then: 'recovery' },
      { case: { $and: [isThere('$runAt'), hasFailed] }, then: 'retry' },
      { case: isThere('$runAt'), then: 'timer' },
      { case: { $eq: ['$status', 'compensating'] }, then: 'queue' },
    ],
    default: 'recovery',
  },
};

/**
 * Open operations of all tenants by what they wait for. Of each status only so many are looked at,
 * since a backlog of half a million tells nobody more than its size; and no more often than every few
 * seconds, whoever asks.
 */
export function createWaitingCounts(
  db: Db,
  clock: Pick<Clock, 'monotonicMs'>,
): () => Promise<WaitingCounts> {
  const operations = collection<OperationDoc>(db, 'operations');
  const countsOf = async (status: (typeof STATUSES)[number]) =>
    operations
      .aggregate<{ _id: WaitingKind; count: bigint | number }>(
        [
          { $match: { status } },
          { $limit: WAITING_LIMITS.countedMax },
          { $group: { _id: KIND_OF_DOCUMENT, count: { $sum: 1 } } },
        ],
        {
          hint: { status: 1, tenantId: 1, _id: -1 },
          maxTimeMS: LIMITS.listMaxTimeMs,
          readPreference: 'secondaryPreferred',
        },
      )
      .toArray();
  let latest: { readonly atMs: number; readonly counts: Promise<WaitingCounts> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (latest === undefined || nowMs - latest.atMs > WAITING_LIMITS.countsKeptMs) {
      const counts = Promise.all(STATUSES.map(countsOf)).then((found) => sumsOf(found.flat()));
      latest = { atMs: nowMs, counts };
    }
    return latest.counts;
  };
}

function sumsOf(rows: readonly { _id: WaitingKind; count: bigint | number }[]): WaitingCounts {
  const sums: Partial<Record<WaitingKind, number>> = {};
  for (const { _id, count } of rows) sums[_id] = (sums[_id] ?? 0) + Number(count);
  return sums;
}
