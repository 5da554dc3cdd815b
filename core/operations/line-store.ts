import type { Db, Document } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { Place } from './line.ts';
import { byLane, headsOf, inLanesOf } from './lane-heads.ts';
import { createLayoutStore } from './layout-store.ts';
import { type OperationDoc, isOlder } from './operation.ts';

/** The head of a line, as whoever wants to pass sees it. */
export interface Head {
  /** The oldest that holds the line or waits in it. */
  readonly first?: Place;
  /** The oldest that has lost the line for having held it too long, and is still under way. */
  readonly late?: Place;
}

/** When those that go on waiting are looked at again, and which pause it is that they wait for. */
export interface LineCheck {
  readonly ms: number;
  readonly pausedBy?: string;
}

/** Everything by database time, and by an index that begins with the line. */
export interface LineStore {
  heads(
    lines: readonly string[],
    except?: readonly OperationId[],
  ): Promise<ReadonlyMap<string, Head>>;
  /** The oldest operation of each ordering key that is still to be settled in its lane. */
  oldestInLanes(keys: readonly string[]): Promise<ReadonlyMap<string, Place>>;
  /** Open operations that create something for the users of these lines, whatever their own. */
  creating(userLines: readonly string[]): Promise<ReadonlyMap<string, readonly Place[]>>;
  /** What stands in some lines, line by line, oldest first. */
  inLine(lines: readonly string[], limit: number): Promise<readonly (Place & { now: Date })[]>;
  /** Takes atomic operations out of their lanes until it is their turn. */
  putInLine(ids: readonly OperationId[], check: LineCheck): Promise<void>;
  /** Gives claims back that came before their turn, as if they had never been. */
  giveBack(claims: readonly OperationId[], owner: string, check: LineCheck): Promise<void>;
  /** Moves the time at which an operation that has begun loses the line. */
  shorten(id: OperationId, owner: string, until: Date): Promise<void>;
  /** Lets in what waits, under the next number of dispatch; those that this or another call let in. */
  letIn(ids: readonly OperationId[]): Promise<readonly OperationDoc[]>;
  /** Its turn is looked at by then. */
  checkBy(ids: readonly OperationId[], at: Date): Promise<void>;
}

const PLACE = {
  orderingKey: 1,
  stamp: 1,
  status: 1,
  lane: 1,
  lineUntil: 1,
  nextCheckAt: 1,
  pausedBy: 1,
} as const;

const FIELDS = Object.keys(PLACE);

type HeadInLane = Omit<Place, '_id'> & { readonly _id: string; readonly id: OperationId };

const LINE = { line: 1, stamp: 1, _id: 1 } as const;

const FREE = { status: 'waiting', line: { $exists: true }, lineUntil: { $exists: false } } as const;

export function createLineStore(db: Db): LineStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const layouts = createLayoutStore(db);
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const isLate = { $lte: [{ $ifNull: ['$lineUntil', new Date(8.64e15)] }, '$$NOW'] };

  return Object.freeze({
    heads: async (lines: readonly string[], except: readonly OperationId[] = []) => {
      // Nearly always there is nothing, which is cheap to see, also for all lines of a batch.
      const any = await operations.findOne(
        { line: { $in: [...lines] } },
        { ...options, projection: { _id: 1 }, hint: LINE },
      );
      if (any === null) return new Map<string, Head>();
      const output = Object.fromEntries(['_id', ...Object.keys(PLACE)].map((f) => [f, `$${f}`]));
      const found = await operations
        .aggregate<{ _id: string; top: Place & { isLate: boolean }; late: Place | null }>(
          [
            { $match: { line: { $in: [...lines] }, _id: { $nin: [...except] } } },
            { $set: { isLate } },
            { $sort: { line: 1, stamp: 1, _id: 1 } },
            {
              $group: {
                _id: '$line',
                top: {
                  $top: {
                    sortBy: { isLate: 1, stamp: 1, _id: 1 },
                    output: { ...output, isLate: '$isLate' },
                  },
                },
                late: {
                  $top: {
                    sortBy: { isLate: -1, stamp: 1, _id: 1 },
                    output: { $cond: ['$isLate', output, null] },
                  },
                },
              },
            },
          ] satisfies Document[],
          { ...options, hint: LINE },
        )
        .toArray();
      return new Map(
        found.map(({ _id, top, late }): [string, Head] => [
          _id,
          { ...(!top.isLate && { first: top }), ...(late !== null && { late }) },
        ]),
      );
    },
    oldestInLanes: async (keys: readonly string[]) => {
      const inLanes = byLane(inLanesOf(keys, await layouts.open([])));
      const found = await Promise.all(
        [...inLanes].map(([lane, lines]) =>
          operations.aggregate<HeadInLane>(headsOf(lane, lines, FIELDS), options).toArray(),
        ),
      );
      const oldest = new Map<string, Place>();
      for (const { id, _id: line, ...place } of found.flat()) {
        const one = { ...place, _id: id };
        const other = oldest.get(line);
        if (other === undefined || isOlder(one, other)) oldest.set(line, one);
      }
      return oldest;
    },
    creating: async (userLines: readonly string[]) => {
      const found = await operations
        .find<Place & Pick<OperationDoc, 'creates'>>(
          { creates: { $in: [...userLines] }, ...IN_LINE_OR_LANE },
          { ...options, projection: { ...PLACE, creates: 1 } },
        )
        .limit(LIMITS.linePageMax)
        .toArray();
      const byLine = new Map<string, Place[]>();
      for (const { creates = [], ...place } of found) {
        for (const line of creates) byLine.set(line, [...(byLine.get(line) ?? []), place]);
      }
      return byLine;
    },
    inLine: async (lines: readonly string[], limit: number) =>
      operations
        .aggregate<Place & { now: Date }>(
          [
            { $match: { line: { $in: [...lines] } } },
            { $sort: { line: 1, stamp: 1, _id: 1 } },
            { $limit: limit },
            { $project: { ...PLACE, now: '$$NOW' } },
          ],
          options,
        )
        .toArray(),
    putInLine: async (ids: readonly OperationId[], check: LineCheck) => {
      if (ids.length === 0) return;
      await operations.updateMany({ _id: { $in: [...ids] }, status: 'accepted' }, [
        {
          $set: {
            status: 'waiting',
            line: '$orderingKey',
            ...checkedBy(check),
          },
        },
      ]);
    },
    giveBack: async (claims: readonly OperationId[], owner: string, check: LineCheck) => {
      if (claims.length === 0) return;
      await operations.updateMany({ _id: { $in: [...claims] }, owner, status: 'running' }, [
        { $set: { status: 'waiting', ...checkedBy(check) } },
        { $unset: ['owner', 'leaseUntil', 'lineUntil'] },
      ]);
    },
    shorten: async (id: OperationId, owner: string, until: Date) => {
      await operations.updateOne({ _id: id, owner }, { $set: { lineUntil: until } });
    },
    letIn: async (ids: readonly OperationId[]) => {
      if (ids.length === 0) return [];
      await operations.updateMany({ _id: { $in: [...ids] }, ...FREE }, [
        {
          $set: {
            status: 'accepted',
            'dispatch.seq': { $add: ['$dispatch.seq', 1] },
            'dispatch.at': '$$NOW',
            nextCheckAt: { $add: ['$$NOW', LIMITS.recheckMs] },
            updatedAt: '$$NOW',
          },
        },
        { $unset: ['dispatch.job', 'pausedBy'] },
      ]);
      return operations
        .find(
          { _id: { $in: [...ids] }, status: 'accepted' },
          { ...options, projection: { input: 0 } },
        )
        .toArray();
    },
    checkBy: async (ids: readonly OperationId[], at: Date) => {
      if (ids.length === 0) return;
      await operations.updateMany(
        { _id: { $in: [...ids] }, ...FREE, nextCheckAt: { $gt: at } },
        { $set: { nextCheckAt: at } },
      );
    },
  } satisfies LineStore);
}

/** One that is too late by its own word is looked at then. */
function checkedBy({ ms, pausedBy }: LineCheck): Document {
  const at = { $add: ['$$NOW', ms] };
  if (pausedBy === undefined) return { nextCheckAt: at };
  return { nextCheckAt: { $min: [at, '$deadline'] }, pausedBy };
}

/** In its lane, or waiting its turn to come back to it; what is scheduled stands nowhere. */
const IN_LINE_OR_LANE: Document = {
  $or: [{ status: 'accepted' }, { status: 'waiting', line: { $exists: true } }],
};
