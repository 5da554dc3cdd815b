import type { ClientSession, Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { OutboxRow } from './outbox.ts';

/** What its job names. */
export type OutboxHead = Pick<OutboxRow, '_id' | 'tenantId'>;

export interface OutboxStore {
  /** Records events in the transaction that makes them true. */
  insert(session: ClientSession, rows: readonly OutboxRow[]): Promise<void>;
  /** Rows whose publication or consumption is overdue, oldest first; each put off by `ms`. */
  takeStale(limit: number, ms: number): Promise<readonly OutboxHead[]>;
  find(id: string): Promise<OutboxRow | undefined>;
  /** By id, behind one of them. */
  after(id: string | undefined, limit: number): Promise<readonly OutboxHead[]>;
  /**
   * Whether rows with earlier events of the same operations are still there: those go first. One
   * that nobody can deal with holds others up for a while only.
   */
  isEarly(row: Pick<OutboxRow, '_id' | 'turns'>): Promise<boolean>;
  /** The consumer has dealt with it. */
  remove(id: string): Promise<void>;
}

export function createOutboxStore(db: Db): OutboxStore {
  const outbox = collection<OutboxRow>(db, 'outbox');
  return Object.freeze({
    insert: async (session: ClientSession, rows: readonly OutboxRow[]) => {
      if (rows.length > 0) await outbox.insertMany([...rows], { session });
    },
    takeStale: async (limit, ms) => {
      const rows = await outbox
        .find(
          { $expr: { $lt: ['$nextCheckAt', '$$NOW'] } },
          { projection: { tenantId: 1 }, maxTimeMS: LIMITS.mongoMaxTimeMs },
        )
        .sort({ nextCheckAt: 1 })
        .limit(limit)
        .toArray();
      if (rows.length > 0) {
        await outbox.updateMany({ _id: { $in: rows.map((row) => row._id) } }, [
          { $set: { nextCheckAt: { $add: ['$$NOW', ms] } } },
        ]);
      }
      return rows;
    },
    find: async (id) => (await outbox.findOne({ _id: id })) ?? undefined,
    after: async (id, limit) =>
      outbox
        .find(id === undefined ? {} : { _id: { $gt: id } }, {
          projection: { tenantId: 1 },
          maxTimeMS: LIMITS.mongoMaxTimeMs,
        })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
    isEarly: async ({ _id, turns = [] }) => {
      if (turns.length === 0) return false;
      const own = new Map(turns.map(({ operationId, turn }) => [operationId, turn]));
      const others = await outbox
        .find(
          {
            turns: { $exists: true },
            'turns.operationId': { $in: [...own.keys()] },
            _id: { $ne: _id },
            $expr: { $gt: ['$createdAt', { $subtract: ['$$NOW', LIMITS.outboxOrderMs] }] },
          },
          { projection: { turns: 1 }, maxTimeMS: LIMITS.mongoMaxTimeMs },
        )
        .toArray();
      return others.some((row) =>
        row.turns?.some(({ operationId, turn }) => turn < (own.get(operationId) ?? -Infinity)),
      );
    },
    remove: async (id) => {
      await outbox.deleteOne({ _id: id });
    },
  } satisfies OutboxStore);
}
