import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { systemClock } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';

/**
 * The fate of a job by what its work threw: `never` fails it for good, `after` puts it back without
 * using up an attempt, everything else is tried again with the queue's backoff.
 *
 * @throws always; the error class tells BullMQ what to do.
 */
export async function disposeOf(
  error: unknown,
  job: Job,
  token: string | undefined,
): Promise<never> {
  if (error instanceof AppError) {
    if (error.retry === 'never') throw new UnrecoverableError(error.message);
    if (error.retry === 'after') {
      await job.moveToDelayed(systemClock.now() + (error.retryAfterSeconds ?? 1) * 1_000, token);
      throw new DelayedError(error.message);
    }
  }
  throw error;
}
