import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';

interface MarkDoc<T> {
  readonly _id: string;
  readonly value: T;
  readonly updatedAt: Date;
}

/** Where long work on the ledger has come to, so that it goes on there after a crash. */
export interface MarkStore {
  get<T>(name: string): Promise<T | undefined>;
  set(name: string, value: object): Promise<void>;
  /** Unless there is one; returns what is there. */
  setFirst<T extends object>(name: string, value: T): Promise<T>;
  remove(name: string): Promise<void>;
}

export function createMarkStore(db: Db): MarkStore {
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const marks = <T>() => collection<MarkDoc<T>>(db, 'ledger_marks');
  return Object.freeze({
    get: async <T>(name: string) => (await marks<T>().findOne({ _id: name }, options))?.value,
    set: async (name: string, value: object) => {
      await marks().updateOne(
        { _id: name },
        [{ $set: { value: { $literal: value }, updatedAt: '$$NOW' } }],
        { upsert: true },
      );
    },
    setFirst: async <T extends object>(name: string, value: T) => {
      const stored = await marks<T>().findOneAndUpdate(
        { _id: name },
        [
          {
            $set: {
              value: { $ifNull: ['$value', { $literal: value }] },
              updatedAt: { $ifNull: ['$updatedAt', '$$NOW'] },
            },
          },
        ],
        { upsert: true, returnDocument: 'after' },
      );
      return stored?.value ?? value;
    },
    remove: async (name: string) => {
      await marks().deleteOne({ _id: name });
    },
  });
}
