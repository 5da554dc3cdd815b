import type { AnyBulkWriteOperation, ClientSession, Db, Filter, UpdateFilter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { assert, present } from '../kernel/assert.ts';
import type { OperationId } from '../kernel/ids.ts';
import { laterOf } from '../ledger/book.ts';
import type { Guard, JournalChange, JournalRef, Lease, Renewal, Requests } from './journal.ts';
import type { Claim } from '../operations/claim.ts';
import { parkingPushed } from '../operations/parking.ts';
import type { SagaState } from './machine.ts';
import type { OperationDoc } from '../operations/operation.ts';
import { type OperationStatus, isSettled } from '../operations/status.ts';
import { stateOf } from './stored-state.ts';

/** One compare-and-set, as the store does it. */
export interface JournalWrite {
  readonly ref: JournalRef;
  readonly guard: Guard;
  readonly change: JournalChange;
}

/** Where an operation stands: what a write compares. */
export interface JournalPlace {
  readonly epoch: number;
  readonly rev: number;
  readonly requests: Requests;
}

/** What is stored of it, for whoever does not know what of theirs is. */
export interface StoredSaga {
  readonly state: SagaState;
  readonly status: OperationStatus;
  readonly hasLease: boolean;
  readonly isInLine: boolean;
}

export interface ClaimRequest {
  readonly ids: readonly OperationId[];
  /** Unique to this call: a claim is told by it, not by a name that a worker may keep. */
  readonly owner: string;
  readonly leaseMs: number;
}

export interface JournalStore {
  /** Claims what is free of these, in database time; two round trips for all of them. */
  claim(request: ClaimRequest): Promise<readonly (Claim | Unclaimed)[]>;
  /** Each by a compare-and-set of its own. False: some missed, and it is unknown which. */
  write(writes: readonly JournalWrite[]): Promise<boolean>;
  /**
   * By id alone, which the server need not plan: whoever calls it has read the places in the same
   * transaction, and compared.
   *
   * @throws the driver's error for a conflict when somebody has moved one of them since.
   */
  writeRead(writes: readonly JournalWrite[], session: ClientSession): Promise<void>;
  places(
    ids: readonly OperationId[],
    session?: ClientSession,
  ): Promise<ReadonlyMap<string, JournalPlace>>;
  /** @throws InvariantError when there is no such operation. */
  stored(id: OperationId): Promise<StoredSaga>;
  renew(leases: readonly Lease[], leaseMs: number): Promise<readonly Renewal[]>;
}

export interface Unclaimed {
  /** Milliseconds until another claim's lease is over; absent when there is nothing to do. */
  readonly busyForMs?: number;
}

const CLAIMABLE: readonly OperationDoc['status'][] = ['accepted', 'running', 'compensating'];

export function createJournalStore(db: Db): JournalStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };

  const claim = async ({ ids, owner, leaseMs }: ClaimRequest) => {
    const until = { $add: ['$$NOW', leaseMs] };
    // A pipeline, so that database time decides; an operation once claimed no longer matches.
    await operations.updateMany(
      {
        _id: { $in: [...ids] },
        status: { $in: [...CLAIMABLE] },
        $expr: {
          $and: [
            isPast('$leaseUntil'),
            { $or: [{ $ne: ['$status', 'compensating'] }, isPast('$runAt')] },
          ],
        },
      },
      [
        {
          $set: {
            status: { $cond: [{ $eq: ['$status', 'accepted'] }, 'running', '$status'] },
            epoch: { $add: ['$epoch', 1] },
            rev: { $ifNull: ['$rev', 0] },
            owner,
            leaseUntil: until,
            nextCheckAt: until,
            lineUntil: LINE_UNTIL,
            interruptions: INTERRUPTIONS,
          },
        },
      ],
    );
    const found = await operations
      .aggregate<OperationDoc & { readonly claimNow: Date; readonly claimBytes: number }>(
        [
          { $match: { _id: { $in: [...ids] } } },
          { $set: { claimNow: '$$NOW', claimBytes: { $bsonSize: '$$ROOT' } } },
        ],
        options,
      )
      .toArray();
    const byId = new Map(found.map((doc) => [doc._id, doc]));
    return ids.map((id): Claim | Unclaimed => {
      const doc = byId.get(id);
      if (doc === undefined || isSettled(doc.status) || doc.status === 'waiting') return {};
      const { claimNow, claimBytes: bytes, ...operation } = doc;
      const { leaseUntil, runAt } = operation;
      if (operation.owner === owner && leaseUntil !== undefined) {
        const at = new Date(leaseUntil.getTime() - leaseMs);
        return { operation, epoch: operation.epoch, bytes, at };
      }
      // Without either it was given back just now: it is free, and the job comes again for it.
      const freeAt = leaseUntil ?? runAt ?? claimNow;
      return { busyForMs: Math.max(0, freeAt.getTime() - claimNow.getTime()) };
    });
  };

  return Object.freeze({
    claim,
    write: async (writes: readonly JournalWrite[]) => {
      const result = await operations.bulkWrite(
        writes.map((write) => updateOneOf(write, filterOf(write))),
        { ordered: false },
      );
      return result.matchedCount === writes.length;
    },
    writeRead: async (writes: readonly JournalWrite[], session: ClientSession) => {
      const updates = writes.map((write) => updateOneOf(write, { _id: write.ref.operation._id }));
      const result = await operations.bulkWrite(updates, { ordered: true, session });
      assert(result.matchedCount === writes.length, 'what was read in a transaction is there');
    },
    places: async (ids: readonly OperationId[], session?: ClientSession) => {
      const found = await operations
        .find(
          { _id: { $in: [...ids] } },
          { ...options, projection: PLACE, ...(session !== undefined && { session }) },
        )
        .batchSize(ids.length + 1) // all in one answer
        .toArray();
      return new Map(found.map((doc) => [doc._id, placeOf(doc)]));
    },
    stored: async (id: OperationId) => {
      const found = await operations.findOne({ _id: id }, { ...options, projection: STORED });
      const doc = present(found ?? undefined, 'an operation that was written');
      return {
        state: stateOf(doc),
        status: doc.status,
        hasLease: doc.leaseUntil !== undefined,
        isInLine: doc.line !== undefined,
      };
    },
    renew: async (leases: readonly Lease[], leaseMs: number) => {
      const until = { $add: ['$$NOW', leaseMs] };
      await operations.bulkWrite(
        leases.map(({ operationId, epoch }) => ({
          updateOne: {
            filter: { _id: operationId, epoch, leaseUntil: { $exists: true } },
            update: [{ $set: { leaseUntil: until, nextCheckAt: until } }],
          },
        })),
        { ordered: false },
      );
      const ids = leases.map(({ operationId }) => operationId);
      const found = await operations
        .find({ _id: { $in: ids } }, { ...options, projection: { epoch: 1, cancelRequested: 1 } })
        .toArray();
      const byId = new Map(found.map((doc) => [doc._id, doc]));
      return leases.map(({ operationId, epoch }) => {
        const doc = byId.get(operationId);
        const isCancelRequested = doc?.cancelRequested !== undefined;
        return { isOurs: doc?.epoch === epoch, isCancelRequested };
      });
    },
  } satisfies JournalStore);
}

/**
 * From its first claim it holds its line for so long; what stands in none gets nothing. Taken over from
 * a dead worker it holds it anew, if it still does (`heldAnew`).
 */
const LINE_UNTIL = {
  $switch: {
    branches: [
      { case: isMissing('$line'), then: '$$REMOVE' },
      {
        case: { $and: [isMissing('$leaseUntil'), { $not: [isMissing('$lineUntil')] }] },
        then: '$lineUntil',
      },
      { case: isPastIfAny('$lineUntil'), then: '$lineUntil' },
    ],
    default: { $add: ['$$NOW', LIMITS.lineHoldMs] },
  },
};

/**
 * Whoever takes over what another worker held counts, be it the sweeper or a job that came again:
 * a lease that was given back is not there any more.
 */
const INTERRUPTIONS = {
  $cond: [
    { $eq: [{ $type: '$leaseUntil' }, 'missing'] },
    { $ifNull: ['$interruptions', '$$REMOVE'] },
    { $add: [{ $ifNull: ['$interruptions', 0] }, 1] },
  ],
};

function isMissing(field: string) {
  return { $eq: [{ $type: field }, 'missing'] };
}

function isPastIfAny(field: string) {
  return { $and: [{ $not: [isMissing(field)] }, { $lte: [field, '$$NOW'] }] };
}

function isPast(field: string) {
  return { $lte: [{ $ifNull: [field, new Date(0)] }, '$$NOW'] };
}

const PLACE = { epoch: 1, rev: 1, cancelRequested: 1, signals: 1 } as const;
const STORED = {
  ...{ steps: 1, pivotPassed: 1, turnBack: 1, status: 1 },
  ...{ leaseUntil: 1, line: 1 },
} as const;

function placeOf(doc: OperationDoc): JournalPlace {
  return {
    epoch: doc.epoch,
    rev: doc.rev ?? 0,
    requests: {
      isCancelRequested: doc.cancelRequested !== undefined,
      signals: doc.signals ?? {},
    },
  };
}

function filterOf({ ref, guard }: JournalWrite): Filter<OperationDoc> {
  return {
    _id: ref.operation._id,
    epoch: ref.epoch,
    rev: ref.rev,
    ...(guard.cancel === true && { cancelRequested: { $exists: false } }),
    ...(guard.signal !== undefined && { [`signals.${guard.signal}`]: { $exists: false } }),
  };
}

function updateOneOf(
  { ref, change }: JournalWrite,
  filter: Filter<OperationDoc>,
): AnyBulkWriteOperation<OperationDoc> {
  return { updateOne: { filter, update: updateOf(ref, change) } };
}

function updateOf(ref: JournalRef, change: JournalChange): UpdateFilter<OperationDoc> {
  const { state, status, lease, at, wakeAt } = change;
  return {
    $set: {
      status,
      steps: state.steps,
      pivotPassed: state.pivotPassed,
      rev: ref.rev + 1,
      updatedAt: at,
      ...definedFields({
        turnBack: state.turnBack,
        runAt: wakeAt,
        result: change.result,
        error: change.error,
        settledBy: change.settledBy,
        nextCheckAt: nextCheckOf(change),
        completedAt:
          lease === 'end' && status !== 'needs_attention'
            ? laterOf(at, ref.operation.createdAt)
            : undefined,
      }),
    },
    $unset: {
      ...(lease !== 'keep' && { owner: '', leaseUntil: '' }),
      ...(lease === 'end' && { nextCheckAt: '' }),
      ...(wakeAt === undefined && { runAt: '' }),
      ...(change.leavesLine === true && { line: '', lineUntil: '' }),
    },
    ...(change.parked !== undefined && { $push: parkingPushed(change.parked) }),
  };
}

/** The driver would store a stray `undefined` as null. */
function definedFields<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const defined = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** While the lease is kept its end is the time to look; it is set with the lease. */
function nextCheckOf({ lease, wakeAt, at }: JournalChange): Date | undefined {
  if (lease === 'keep' || lease === 'end') return undefined;
  const ms = lease === 'wait' ? LIMITS.waitRecheckMs : LIMITS.recheckMs;
  return wakeAt ?? new Date(at.getTime() + ms);
}
