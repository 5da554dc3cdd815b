import { z } from 'zod';
import { AppError } from '../../core/kernel/errors.ts';
import { isOperationId } from '../../core/kernel/ids.ts';
import { isSettled } from '../../core/operations/status.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { RequestContext } from '../http/request-context.ts';
import { foundOr404 } from '../http/list.ts';
import { isWaitOver } from '../writes/outcome-waiters.ts';

/** Query parameter of what can be read as of an operation. */
export const afterQuery = {
  after: z
    .string()
    .refine(isOperationId, 'must be the id of an operation')
    .exactOptional()
    .meta({ description: 'id of an operation that has to be in the answer: it is waited for' }),
};

/** Unless `Prefer: wait` says how long. */
const WAIT_SECONDS = 5;

/**
 * Resolves once the operation is settled: whatever is read from the primary from then on has it.
 *
 * @throws AppError `not_found` when the tenant has no such operation; `operation_open` when it is not
 * settled by the end of the wait.
 */
export async function waitUntilIn(
  request: RequestContext,
  operationId: string | undefined,
): Promise<void> {
  if (operationId === undefined) return;
  const { services, tenant } = request;
  const operations = services.operations(tenant);
  const stored = foundOr404(await operations.find(operationId), 'operation');
  if (isSettled(stored.status)) return;
  if (isWaitOver(stored)) throw stillOpen(stored);
  const seconds = request.preferences().waitSeconds;
  const options = {
    timeoutMs: (seconds === 0 ? WAIT_SECONDS : seconds) * 1_000,
    signal: request.signal(),
  };
  const waited = await services.waiters.wait(tenant, operationId, options);
  const now = waited ?? foundOr404(await operations.find(operationId), 'operation');
  if (!isSettled(now.status)) throw stillOpen(now);
}

function stillOpen({ _id, status }: OperationDoc): AppError {
  return new AppError('operation_open', `Operation ${_id} is ${status}; ask again later`, {
    context: { operationId: _id },
  });
}

/** A page that has to hold an operation is read from the primary. */
export function presentIf<T extends object>(after: string | undefined, page: T): T & Freshness {
  return after === undefined ? page : { ...page, isPresent: true };
}

interface Freshness {
  /** From the primary, wherever such lists are read otherwise. */
  readonly isPresent?: true;
}

/** Lists with the oldest first end where transactions may still be under way, half a minute ago. */
export function isAfterLate(query: { readonly after?: string; readonly order?: string }): boolean {
  return query.after !== undefined && query.order === 'asc';
}

export const AFTER_LATE = {
  path: ['after'],
  message: 'goes with the newest first only: with `order=asc` the latest rows come later',
};
