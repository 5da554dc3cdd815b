import type { Db, Timestamp } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { assert } from '../kernel/assert.ts';

/** The replica set's own time: wall clock of the primary, and its logical clock. */
export interface DatabaseTime {
  readonly now: Date;
  /**
   * `operationTime` of the primary as one sortable integer. Whatever was acknowledged before this
   * was read has happened at or before it, on every later primary too.
   */
  readonly stamp: bigint;
}

/** Seconds of 2020-01-01: keeps stamps inside an int64 until 2088. */
const EPOCH_SECONDS = 1_577_836_800;

function stampOf(time: Timestamp): bigint {
  return (BigInt(time.t - EPOCH_SECONDS) << 32n) | BigInt(time.i);
}

/** One round trip to the primary. */
export async function readDatabaseTime(db: Db): Promise<DatabaseTime> {
  const reply = await db.command(
    { hello: 1, maxTimeMS: LIMITS.mongoMaxTimeMs },
    { readPreference: 'primary' },
  );
  const { localTime, operationTime } = reply as { localTime?: Date; operationTime?: Timestamp };
  assert(localTime !== undefined && operationTime !== undefined, 'MongoDB is a replica set');
  return { now: localTime, stamp: stampOf(operationTime) };
}
