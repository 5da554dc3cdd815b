import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { SERVICE_CONFIG_LIMITS } from '../../config/service-config-limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import { faultOf } from '../infra/database-errors.ts';
import { AppError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { type Pause, type PauseSubject, checkSubject, pauseKeyOf } from './pause.ts';

export interface PauseRequest {
  readonly subject: PauseSubject;
  readonly reason: string;
  readonly author: string;
  /** A tenant's administrators, for themselves. */
  readonly madeBy?: string;
}

export interface ResumeRequest {
  readonly id: string;
  readonly reason: string;
  readonly author: string;
  /** Only what these administrators have paused themselves. */
  readonly madeBy?: string;
  /** At that pace; undefined: all at once. */
  readonly perSecond?: number;
}

export interface PauseStore {
  /** Those in force, the oldest first, by the index of active ones. */
  active(): Promise<readonly Pause[]>;
  find(id: string): Promise<Pause | undefined>;
  /** The latest first, those that are over included. */
  list(query: {
    readonly after?: string;
    readonly limit: number;
    readonly tenant?: string;
  }): Promise<readonly Pause[]>;
  /**
   * What is paused already stays as it was said first.
   *
   * @throws AppError `invalid_pause`, or `limit_reached`.
   */
  pause(request: PauseRequest): Promise<{ readonly pause: Pause; readonly isNew: boolean }>;
  /** One that is over stays so. @throws AppError `not_found` */
  resume(request: ResumeRequest): Promise<Pause>;
  /** Of one that is being resumed: nothing is held back any more. */
  end(id: Pause['_id']): Promise<void>;
}

export function createPauseStore(db: Db): PauseStore {
  const pauses = collection<Pause>(db, 'pauses');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const find = async (id: string): Promise<Pause | undefined> =>
    (await pauses.findOne({ _id: id as Pause['_id'] }, options)) ?? undefined;
  const activeOf = async (key: string): Promise<Pause | undefined> =>
    (await pauses.findOne({ isActive: true, key }, options)) ?? undefined;

  return Object.freeze({
    active: async () =>
      pauses
        .find({ isActive: true }, { maxTimeMS: SERVICE_CONFIG_LIMITS.pollMaxTimeMs })
        .sort({ key: 1 })
        .limit(SERVICE_CONFIG_LIMITS.pausesMax)
        .toArray(),
    find,
    list: async ({ after, limit, tenant }) =>
      pauses
        .find(
          {
            ...(after !== undefined && { _id: { $lt: after as Pause['_id'] } }),
            ...(tenant !== undefined && { 'subject.tenant': tenant }),
          },
          options,
        )
        .sort({ _id: -1 })
        .limit(limit)
        .toArray(),
    pause: async (request) => {
      const { subject } = request;
      checkSubject(subject);
      const key = pauseKeyOf(subject);
      const known = await activeOf(key);
      if (known !== undefined && known.resuming === undefined) {
        return { pause: known, isNew: false };
      }
      if (known !== undefined) {
        const again = await pauses.findOneAndUpdate(
          { _id: known._id, isActive: true },
          { $unset: { resuming: '', resumedAt: '', resumedBy: '', resumeReason: '' } },
          { returnDocument: 'after' },
        );
        if (again !== null) return { pause: again, isNew: true };
      }
      const max = SERVICE_CONFIG_LIMITS.pausesMax;
      if ((await pauses.countDocuments({ isActive: true }, { ...options, limit: max })) >= max) {
        throw new AppError(
          'limit_reached',
          `There are ${String(max)} pauses, as many as there may be`,
        );
      }
      const { now: since } = await readDatabaseTime(db);
      const pause: Pause = { _id: newId('pau'), key, ...request, since, isActive: true };
      try {
        await pauses.insertOne(pause);
        return { pause, isNew: true };
      } catch (error) {
        if (faultOf(error) !== 'duplicate-key') throw error;
        const other = await activeOf(key);
        if (other !== undefined) return { pause: other, isNew: false };
        throw new AppError('illegal_state', 'It is being resumed just now; look again');
      }
    },
    resume: async ({ id, reason, author, madeBy, perSecond }) => {
      const { now } = await readDatabaseTime(db);
      const end = { resumedAt: now, resumedBy: author, resumeReason: reason };
      const own = madeBy === undefined ? {} : { madeBy };
      const resumed = await pauses.findOneAndUpdate(
        { _id: id as Pause['_id'], isActive: true, ...own },
        perSecond === undefined
          ? { $set: end, $unset: { isActive: '', resuming: '' } }
          : { $set: { ...end, resuming: { perSecond } } },
        { returnDocument: 'after' },
      );
      if (resumed !== null) return resumed;
      const over = await find(id);
      if (over !== undefined && over.isActive !== true && over.madeBy === (madeBy ?? over.madeBy)) {
        return over;
      }
      throw new AppError('not_found', 'There is no such pause that you may end');
    },
    end: async (id) => {
      await pauses.updateOne(
        { _id: id, isActive: true, resuming: { $exists: true } },
        { $unset: { isActive: '', resuming: '' } },
      );
    },
  } satisfies PauseStore);
}
