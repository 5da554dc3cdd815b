import { AppError } from '../kernel/errors.ts';
import type { SagaState } from './machine.ts';
import type { Run } from './saga-run.ts';

/**
 * This process lacks what the step needs, and others of the installation have it (a provider's
 * address): no call was made, so no attempt is used up, and the operation goes back to the others.
 */
export class WorkerUnfit extends Error {
  override readonly name = 'WorkerUnfit';
  readonly reason: AppError;

  constructor(reason: AppError) {
    super(reason.detail, { cause: reason });
    this.reason = reason;
  }
}

/**
 * Steps say so by throwing an AppError `worker_unfit` before they call anybody.
 *
 * @throws WorkerUnfit then, with the run as it was before the intent.
 */
export function leaveToOthers(run: Run, before: SagaState, error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'worker_unfit') return;
  run.state = before;
  throw new WorkerUnfit(error);
}
