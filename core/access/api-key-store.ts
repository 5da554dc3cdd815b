import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { ApiKeyDoc } from './api-key.ts';

export interface ApiKeyStore {
  /** By the id inside the key; before it is known whose it is, so not by tenant. */
  find(id: string): Promise<ApiKeyDoc | undefined>;
  /** Stores the key unless its id is taken. */
  ensure(key: ApiKeyDoc): Promise<void>;
  /** Takes effect everywhere within LIMITS.apiKeyCacheMs. False when there is no such open key. */
  revoke(tenantId: string, id: string, at: Date): Promise<boolean>;
  /** The tenant's keys, oldest first. */
  list(tenantId: string): Promise<readonly ApiKeyDoc[]>;
}

const KEYS_LISTED_MAX = 1_000;

export function createApiKeyStore(db: Db): ApiKeyStore {
  const keys = collection<ApiKeyDoc>(db, 'api_keys');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  return Object.freeze({
    find: async (id: string) => (await keys.findOne({ _id: id }, options)) ?? undefined,
    ensure: async ({ _id, ...rest }: ApiKeyDoc) => {
      await keys.updateOne({ _id }, { $setOnInsert: rest }, { upsert: true });
    },
    revoke: async (tenantId: string, id: string, at: Date) => {
      const result = await keys.updateOne(
        { _id: id, tenantId, revokedAt: { $exists: false } },
        { $set: { revokedAt: at } },
      );
      return result.modifiedCount === 1;
    },
    list: async (tenantId: string) =>
      keys.find({ tenantId }, options).sort({ createdAt: 1 }).limit(KEYS_LISTED_MAX).toArray(),
  });
}
