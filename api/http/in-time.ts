import { LIMITS } from '../../config/limits.ts';
import { OUTCOME_UNKNOWN } from '../../core/infra/database-errors.ts';
import { withTimeout } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';

/** Between the end of a wait and the answer: for reading what there is by then. */
const MARGIN_MS = 2_000;

/**
 * The answer of a handler, or, when a database that stalls holds it for too long, that nothing is
 * known. Its work goes on unobserved.
 */
export function inTime<T>(work: Promise<T> | T, waitSeconds: number): Promise<T> {
  const ms = Math.max(LIMITS.answerMs, LIMITS.ingestAnswerMs + waitSeconds * 1_000 + MARGIN_MS);
  return withTimeout(Promise.resolve(work), ms, () => unavailable(OUTCOME_UNKNOWN));
}

/** What comes before any work: nobody is let in while it is unknown who that is. */
export function admittedInTime<T>(work: Promise<T>): Promise<T> {
  return withTimeout(work, LIMITS.ingestAnswerMs, () =>
    unavailable('The database did not answer in time, so the key was not checked and nothing done'),
  );
}

function unavailable(detail: string): AppError {
  return new AppError('ledger_unavailable', detail, { retryAfterSeconds: 1 });
}
