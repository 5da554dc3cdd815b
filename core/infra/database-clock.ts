import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { assert, present } from '../kernel/assert.ts';
import { type Clock, withTimeout } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { supervise } from '../kernel/supervise.ts';

/** The replica set's own time: the wall clock of the primary. */
export interface DatabaseTime {
  readonly now: Date;
}

export type ReadDatabaseTime = () => Promise<DatabaseTime>;

/** One round trip to the primary. */
export async function readDatabaseTime(db: Db): Promise<DatabaseTime> {
  const reply = await db.command(
    { hello: 1, maxTimeMS: LIMITS.mongoMaxTimeMs },
    { readPreference: 'primary' },
  );
  const { localTime } = reply as { localTime?: Date };
  assert(localTime !== undefined, 'the answer to hello has a time');
  return { now: localTime };
}

/** A reading of the primary's clock beside ours. */
interface Sample {
  readonly takenMs: number;
  /** Primary's wall clock minus our monotonic one. */
  readonly offsetMs: number;
  /** The reading may be off by as much: half of its round trip. */
  readonly errorMs: number;
}

/** How far two clocks may drift apart; hardware does a tenth of it. */
const DRIFT_PER_MS = 0.001;
/** A step back of the primary's clock by more than this is followed, whatever was said before. */
const STEP_MS = 1_000;

/**
 * Database time without a round trip each: the primary's clock is read once a second while somebody
 * asks, and in between our monotonic clock goes on from there, whatever our wall clock says. Good to
 * a few milliseconds: for times that are stored and for deadlines, not for leases (those compare in
 * the database).
 *
 * When nobody has asked for long, the answer waits for a reading, and fails as that does. A reading
 * that took long (the primary stood still, or we did) may be off by half of that: it is not used,
 * however old the last one is.
 */
export function createDatabaseClock(read: ReadDatabaseTime, clock: Clock): ReadDatabaseTime {
  let best: Sample | undefined;
  let triedMs = -Infinity;
  let saidMs = 0;
  let reading: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    const sentMs = clock.monotonicMs();
    triedMs = sentMs;
    const { now } = await read();
    const takenMs = clock.monotonicMs();
    const errorMs = (takenMs - sentMs) / 2;
    const sample = { takenMs, errorMs, offsetMs: now.getTime() - (sentMs + errorMs) };
    if (errorMs > LIMITS.databaseClockErrorMsMax) return;
    if (best === undefined || isBetter(sample, best)) best = sample;
  };
  const refreshOnce = (): Promise<void> =>
    (reading ??= refresh().finally(() => {
      reading = undefined;
    }));

  const hasOf = (ms: number): boolean =>
    best !== undefined && clock.monotonicMs() - best.takenMs <= ms;
  /** Nobody waits for a primary that stands still: what it says then would be of no use. */
  const readOnce = async (): Promise<void> => {
    const waitMs = 2 * LIMITS.databaseClockErrorMsMax;
    await withTimeout(refreshOnce(), waitMs, tooSlow).catch((error: unknown) => {
      if (!isTooSlow(error)) throw error;
    });
  };
  const readPatiently = async (): Promise<void> => {
    for (let tries = 0; tries < TRIES_MAX && !hasOf(LIMITS.databaseClockMsMax); tries += 1) {
      await readOnce();
    }
    if (!hasOf(LIMITS.databaseClockHoldMs)) throw tooSlow();
  };

  return async () => {
    const isDue = clock.monotonicMs() - triedMs > LIMITS.databaseClockMs;
    if (!hasOf(LIMITS.databaseClockMsMax)) await readPatiently();
    else if (isDue) supervise(refreshOnce(), () => undefined);
    const { offsetMs } = present(best, "a reading of the primary's clock");
    const estimateMs = Math.round(clock.monotonicMs() + offsetMs);
    saidMs = notBefore(estimateMs, saidMs);
    return { now: new Date(saidMs) };
  };
}

const TRIES_MAX = 3;

function tooSlow(): AppError {
  return new AppError('ledger_unavailable', SLOW, { retryAfterSeconds: 1 });
}

function isTooSlow(error: unknown): boolean {
  return error instanceof AppError && error.detail === SLOW;
}

const SLOW = 'The primary answers too slowly to tell the time; nothing was stored';

/** A time that does not run backwards, unless the clock was set. Milliseconds. */
export function notBefore(estimateMs: number, floorMs: number): number {
  return floorMs - estimateMs > STEP_MS ? estimateMs : Math.max(estimateMs, floorMs);
}

/** More exact than the old one has become, or proof that the primary's clock was set. */
function isBetter(sample: Sample, old: Sample): boolean {
  const ageMs = sample.takenMs - old.takenMs;
  if (ageMs > LIMITS.databaseClockMsMax) return true;
  const oldErrorMs = old.errorMs + ageMs * DRIFT_PER_MS;
  const apartMs = Math.abs(sample.offsetMs - old.offsetMs);
  return sample.errorMs <= oldErrorMs || apartMs > sample.errorMs + oldErrorMs;
}
