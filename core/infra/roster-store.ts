import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { readDatabaseTime } from './database-clock.ts';
import { collection } from './collections.ts';

/** What a process has of the outside: `payment/http`, `email/smtp`. */
interface RosterDoc {
  readonly _id: string;
  readonly has: readonly string[];
  readonly seenAt: Date;
}

export interface Roster {
  announce(processId: string, has: readonly string[]): Promise<void>;
  /** What other processes have said within the last `ms`, in database time. */
  others(processId: string, ms: number): Promise<ReadonlyMap<string, Date>>;
  /** How many processes have said something within the last `ms`. */
  count(ms: number): Promise<number>;
}

/** Beside the workers' own rows, which are about lanes; they go the same way when they are old. */
export function createRoster(db: Db): Roster {
  const workers = collection<RosterDoc>(db, 'workers');
  const idOf = (processId: string): string => `${processId}/has`;
  return Object.freeze({
    announce: async (processId: string, has: readonly string[]) => {
      await workers.updateOne(
        { _id: idOf(processId) },
        [{ $set: { has: [...has], seenAt: '$$NOW' } }],
        { upsert: true },
      );
    },
    others: async (processId: string, ms: number) => {
      const { now } = await readDatabaseTime(db);
      const rows = await workers
        .find(
          {
            seenAt: { $gt: new Date(now.getTime() - ms) },
            has: { $exists: true },
            _id: { $ne: idOf(processId) },
          },
          { maxTimeMS: LIMITS.mongoMaxTimeMs },
        )
        .sort({ seenAt: 1 })
        .limit(LIMITS.replicasMax)
        .toArray();
      // The latest word on each: in the order in which they were seen.
      return new Map(rows.flatMap(({ has, seenAt }) => has.map((name) => [name, seenAt] as const)));
    },
    count: async (ms: number) => {
      const { now } = await readDatabaseTime(db);
      const seenAt = { $gt: new Date(now.getTime() - ms) };
      const rows = await workers
        .find({ seenAt, has: { $exists: true } }, { maxTimeMS: LIMITS.mongoMaxTimeMs })
        .limit(LIMITS.replicasMax)
        .toArray();
      return rows.length;
    },
  } satisfies Roster);
}
