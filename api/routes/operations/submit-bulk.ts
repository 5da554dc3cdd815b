import { LIMITS } from '../../../config/limits.ts';
import { present } from '../../../core/kernel/assert.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { refuse } from '../../../core/kernel/result.ts';
import { type ParseContext, parseBulkItem } from '../../../core/ingest/parse-submission.ts';
import type { Submission, SubmissionOutcome } from '../../../core/ingest/submission.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { bulkSchema } from '../../contract/operation.ts';
import { bulkSubmission } from '../../contract/submissions.ts';
import type { View } from '../../contract/parts.ts';
import { listBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import type { RequestContext } from '../../http/request-context.ts';
import type { Reply } from '../../http/reply.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { operationBrief, operationView, statusOfOperation } from '../../views/operation.ts';
import {
  errorOf,
  outcomesOf,
  parseContextOf,
  preferenceApplied,
  submitAll,
} from '../../writes/submit.ts';
import {
  type Problem,
  briefProblem,
  operationIdOf,
  problemOf,
  statusOfCode,
} from '../../http/problem.ts';
import { allOf } from '../../../core/kernel/every.ts';

export const submitBulk = defineEndpoint({
  method: 'POST',
  path: '/v1/operations/bulk',
  scope: 'operations:write',
  isByType: true,
  summary:
    'Accepts up to 1,000 operations, a JSON array or NDJSON, each with its own `idempotencyKey`; ' +
    'one result per item, in order',
  input: { params: noParams, query: noQuery, body: { ...listBody, schema: bulkSubmission } },
  output: { 200: bulkSchema, 202: bulkSchema },
  headers: { prefer: ['wait', 'return'] },
  errors: ['backlog_full', 'ledger_unavailable'],
  handle: async ({ body }, request) => {
    await request.charge(body.length - 1);
    const context = parseContextOf(request);
    const { clock } = request.services;
    const parsed = await inTurns(body, (item) => judged(item, context), clock);
    const valid = parsed.flatMap((item) => (item.ok ? [item.value] : []));
    const outcomes = valid.length === 0 ? [] : await submitTogether(request, valid);
    const results = parsed.map((item): Result =>
      item.ok
        ? resultOf(present(outcomes.shift(), 'the outcome of an item'))
        : { error: errorOf(item.failure) },
    );
    return bulkReply(request, await settledOf(request, results));
  },
});

/** Lets other requests run in between: a thousand bad items are a good deal of work. */
async function inTurns<T, R>(
  items: readonly T[],
  work: (item: T) => R,
  clock: Clock,
): Promise<readonly R[]> {
  const done: R[] = [];
  let sinceMs = clock.monotonicMs();
  for (const item of items) {
    done.push(work(item));
    if (clock.monotonicMs() - sinceMs < LIMITS.bulkSliceMs) continue;
    await clock.sleep(0);
    sinceMs = clock.monotonicMs();
  }
  return done;
}

/** All problems of an answer share what they may quote; those behind its end say it in brief. */
function createProblemBudget(): (problem: Problem) => Problem {
  let left: number = LIMITS.bulkProblemCharsMax;
  return (problem) => {
    left -= JSON.stringify(problem.errors ?? []).length + problem.detail.length;
    return left >= 0 ? problem : briefProblem(problem);
  };
}

/**
 * @throws AppError when every one was refused because we cannot take work now: then nothing was
 * stored, and the answer is 503 with `Retry-After`.
 */
async function submitTogether(
  request: RequestContext,
  valid: readonly Submission[],
): Promise<SubmissionOutcome[]> {
  const outcomes = await submitAll(request, valid);
  const [first] = outcomes;
  const isAway = allOf(
    outcomes,
    (outcome) => outcome.kind === 'refused' && outcome.error.kind === 'unavailable',
  );
  if (isAway && first?.kind === 'refused') throw first.error;
  return [...outcomes];
}

/** An item, or a line that could not be read. */
function judged(item: unknown, context: ParseContext): ReturnType<typeof parseBulkItem> {
  if (!(item instanceof AppError)) return parseBulkItem(item, context);
  return refuse(item.code, item.detail, item.errors);
}

type Result =
  { readonly error: AppError } | { readonly operation: OperationDoc; readonly isReplayed: boolean };

function resultOf(outcome: SubmissionOutcome): Result {
  return outcome.kind === 'refused'
    ? { error: outcome.error }
    : { operation: outcome.operation, isReplayed: outcome.kind === 'replayed' };
}

async function settledOf(
  request: RequestContext,
  results: readonly Result[],
): Promise<readonly Result[]> {
  const open = results.flatMap((one) => ('error' in one ? [] : [one.operation]));
  const outcomes = [...(await outcomesOf(request, open))];
  return results.map((one) =>
    'error' in one
      ? one
      : { ...one, operation: present(outcomes.shift(), 'the outcome of an item') },
  );
}

/** 202 while the outcome of some item is open, else 200: each item has its own status. */
function bulkReply(
  request: RequestContext,
  results: readonly Result[],
): Reply<View<typeof bulkSchema>> {
  const { correlationId, services } = request;
  const { isMinimal } = request.preferences();
  const inBudget = createProblemBudget();
  const items = results.map((result, index) => {
    if ('error' in result) {
      const operationId = operationIdOf(result.error);
      const problem = problemOf(result.error, {
        instance: `/v1/operations/bulk#/${index}`,
        correlationId,
        ...(operationId !== undefined && { operationId }),
      });
      return { index, status: statusOfCode(result.error.code), problem: inBudget(problem) };
    }
    const { operation, isReplayed } = result;
    return {
      index,
      status: statusOfOperation(operation),
      ...(isReplayed && { replayed: true as const }),
      operation: isMinimal
        ? operationBrief(operation)
        : operationView(operation, services.registry),
    };
  });
  const isOpen = items.some((item) => item.status === 202);
  const refused = items.filter((item) => 'problem' in item).length;
  return {
    status: isOpen ? 202 : 200,
    headers: preferenceApplied(request, !isOpen),
    body: { accepted: items.length - refused, refused, results: items },
  };
}
