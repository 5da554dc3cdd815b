import type { ClientSession, Db, Filter } from 'mongodb';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import { behindTimeKey, timeSort } from '../kernel/time-order.ts';
import type { ApiKeyDoc } from './api-key.ts';

/** What becomes of a key, and what else is written with it. */
export interface KeyMove {
  readonly key: ApiKeyDoc;
  /** False: it is as it was, and nothing is written. */
  readonly isNew: boolean;
}

/** What is written beside a key, in its transaction. */
type Beside = (session: ClientSession) => Promise<void>;

export interface ApiKeyStore {
  /** By the ids inside the keys; before it is known whose they are, so not by tenant. */
  findMany(ids: readonly string[]): Promise<readonly ApiKeyDoc[]>;
  find(tenantId: string, id: string): Promise<ApiKeyDoc | undefined>;
  /** Stores the key unless its id is taken. */
  ensure(key: ApiKeyDoc): Promise<void>;
  /** Throws what MongoDB throws when the id is taken. */
  insert(key: ApiKeyDoc, beside: Beside): Promise<void>;
  /** Reads the key, asks what it is to become and writes that. Undefined: there is none. */
  change(
    key: Pick<ApiKeyDoc, '_id' | 'tenantId'>,
    become: (key: ApiKeyDoc, now: Date) => KeyMove,
    beside: (session: ClientSession, before: ApiKeyDoc, after: ApiKeyDoc) => Promise<void>,
  ): Promise<KeyMove | undefined>;
  /** Up to `max` of those that are not revoked. */
  countOpen(tenantId: string, max: number): Promise<number>;
  /** Newest first. */
  list(
    tenantId: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly ApiKeyDoc[]>;
  /** Unless that is known to the minute already, by whichever process. */
  noteUse(ids: readonly string[], at: Date): Promise<void>;
}

export function createApiKeyStore(db: Db): ApiKeyStore {
  const keys = collection<ApiKeyDoc>(db, 'api_keys');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const together = <T>(work: (session: ClientSession) => Promise<T>): Promise<T> =>
    db.client.withSession((session) => session.withTransaction(() => work(session), TRANSACTION));
  return Object.freeze({
    findMany: async (ids) => keys.find({ _id: { $in: [...ids] } }, options).toArray(),
    find: async (tenantId, id) => (await keys.findOne({ _id: id, tenantId }, options)) ?? undefined,
    ensure: async ({ _id, ...rest }: ApiKeyDoc) => {
      await keys.updateOne({ _id }, { $setOnInsert: rest }, { upsert: true });
    },
    insert: (key, beside) =>
      together(async (session) => {
        await keys.insertOne(key, { session });
        await beside(session);
      }),
    change: async ({ _id, tenantId }, become, beside) => {
      const { now } = await readDatabaseTime(db);
      return together(async (session) => {
        const before = await keys.findOne({ _id, tenantId }, { session });
        if (before === null) return undefined;
        const move = become(before, now);
        if (!move.isNew) return move;
        await keys.replaceOne({ _id, tenantId }, move.key, { session });
        await beside(session, before, move.key);
        return move;
      });
    },
    countOpen: async (tenantId, max) => {
      const open = { tenantId, revokedAt: { $exists: false } };
      const found = keys.find(open, { ...options, projection: { _id: 1 } }).limit(max);
      return (await found.toArray()).length;
    },
    list: async (tenantId, { after, limit }) =>
      keys.find(behindOf(tenantId, after), options).sort(timeSort('desc')).limit(limit).toArray(),
    noteUse: async (ids, at) => {
      const long = new Date(at.getTime() - ACCESS_LIMITS.keyUsedMs);
      await keys.updateMany(
        {
          _id: { $in: [...ids] },
          $or: [{ lastUsedAt: { $exists: false } }, { lastUsedAt: { $lte: long } }],
        },
        { $set: { lastUsedAt: at } },
        options,
      );
    },
  } satisfies ApiKeyStore);
}

function behindOf(tenantId: string, after: string | undefined): Filter<ApiKeyDoc> {
  const parts = behindTimeKey(after, { order: 'desc' }).map((part) => ({ tenantId, ...part }));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { $or: parts };
}
