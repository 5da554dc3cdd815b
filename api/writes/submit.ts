import { LIMITS } from '../../config/limits.ts';
import { present } from '../../core/kernel/assert.ts';
import { AppError, type ErrorCode, type Failure } from '../../core/kernel/errors.ts';
import type { Result } from '../../core/kernel/result.ts';
import type { ParseContext } from '../../core/ingest/parse-submission.ts';
import type { Submission, SubmissionOutcome } from '../../core/ingest/submission.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { operationAnswer } from '../contract/operation.ts';
import type { View } from '../contract/parts.ts';
import type { HeaderSpec } from '../http/endpoint.ts';
import type { Reply } from '../http/reply.ts';
import type { RequestContext } from '../http/request-context.ts';
import {
  operationBrief,
  operationPath,
  operationView,
  statusOfOperation,
} from '../views/operation.ts';
import { forbiddenType, foreignType, mayAskFor, mayAskForIts } from './type-rights.ts';
import { isWaitOver } from './outcome-waiters.ts';

export function parseContextOf({ services, tenant }: RequestContext): ParseContext {
  const { registry, hasProvider } = services;
  const { currencies } = tenant;
  return { registry, currencies, ...(hasProvider !== undefined && { hasProvider }) };
}

/** Of every endpoint that takes one operation. */
export const SUBMIT_HEADERS: HeaderSpec = {
  idempotencyKey: 'required',
  prefer: ['wait', 'return'],
};
export const SUBMIT_ERRORS: readonly ErrorCode[] = [
  'idempotency_conflict',
  'unknown_operation_type',
  'provider_unknown',
  'backlog_full',
];

/**
 * One operation, from the parsed body to the answer: 202, or 200 when the outcome is known.
 *
 * @throws AppError for whatever keeps the operation from being stored.
 */
export async function submitOne(
  request: RequestContext,
  parse: (idempotencyKey: string, context: ParseContext) => Result<Submission>,
): Promise<Reply<View<typeof operationAnswer>>> {
  const parsed = parse(request.idempotencyKey(), parseContextOf(request));
  if (!parsed.ok) throw errorOf(parsed.failure);
  const [outcome] = await submitAll(request, [parsed.value]);
  const { kind, ...rest } = present(outcome, 'the outcome of a submission');
  if (!('operation' in rest)) throw rest.error;
  return operationReply(request, {
    isReplayed: kind === 'replayed',
    operation: await outcomeOf(request, rest.operation),
  });
}

export function errorOf({ code, detail, errors }: Failure): AppError {
  return new AppError(code, detail, errors === undefined ? {} : { errors });
}

/**
 * Hands submissions to ingest; one outcome each, at the same index. Every operation that a request
 * asks for comes through here, so this is where the rights that its type needs are looked at.
 */
export async function submitAll(
  request: RequestContext,
  submissions: readonly Submission[],
): Promise<readonly SubmissionOutcome[]> {
  const { services, tenant, correlationId, traceparent } = request;
  const context = {
    tenantId: tenant.tenantId,
    correlationId,
    ...(traceparent !== undefined && { traceparent }),
  };
  const beyond = partsBeyondOne(submissions);
  if (beyond > 0) await request.charge(beyond);
  const now = services.clock.now();
  if (!submissions.some((one) => isLate(one, now) || isForbidden(request, one))) {
    return services.ingest.submit(submissions, context);
  }
  const refusals = await Promise.all(
    submissions.map(async (one) => {
      if (isForbidden(request, one)) return forbiddenTo(request, one);
      return isLate(one, now) ? refusalOf(request, one) : undefined;
    }),
  );
  const taken = submissions.filter((_submission, index) => refusals[index] === undefined);
  const outcomes = [...(await services.ingest.submit(taken, context))];
  return refusals.map((error): SubmissionOutcome =>
    error === undefined
      ? present(outcomes.shift(), 'the outcome of a submission')
      : { kind: 'refused', error },
  );
}

/** An operation that is made of others counts as so many. */
function partsBeyondOne(submissions: readonly Submission[]): number {
  let beyond = 0;
  for (const { definition, input } of submissions) {
    const parts = definition.parts?.(input);
    if (parts !== undefined) beyond += parts.length - 1;
  }
  return beyond;
}

function isForbidden({ scopes }: RequestContext, one: Submission): boolean {
  return !mayAskFor(scopes, one.definition) || !mayAskForIts(scopes, one);
}

function forbiddenTo({ scopes }: RequestContext, one: Submission): AppError {
  const { definition } = one;
  return mayAskFor(scopes, definition)
    ? foreignType(scopes, one)
    : forbiddenType(definition, 'ask for');
}

function isLate({ deadline }: Submission, now: number): boolean {
  return deadline !== undefined && deadline.getTime() <= now;
}

/**
 * A deadline that has passed refuses a new operation; a repeated request whose first one was in
 * time still gets its answer.
 */
async function refusalOf(
  { services, tenant }: RequestContext,
  { idempotencyKey }: Submission,
): Promise<AppError | undefined> {
  const stored = await services.operations(tenant).findByKey(idempotencyKey);
  if (stored !== undefined) return undefined;
  const errors = [{ pointer: '/preconditions/expiresAt', detail: 'has already passed' }];
  return new AppError('invalid_request', 'It is too late for this operation', { errors });
}

/** As below, of one. */
export async function outcomeOf(
  request: RequestContext,
  operation: OperationDoc,
): Promise<OperationDoc> {
  const [outcome] = await outcomesOf(request, [operation]);
  return present(outcome, 'the outcome of an operation');
}

/**
 * Operations as they are at the end of the wait that the client asked for: once settled, once a
 * person is needed, or when its time is over.
 */
export async function outcomesOf(
  request: RequestContext,
  operations: readonly OperationDoc[],
): Promise<readonly OperationDoc[]> {
  const waitSeconds = waitSecondsOf(request);
  if (waitSeconds === 0) return operations;
  const { services, tenant } = request;
  const signal = request.signal();
  const options = { timeoutMs: waitSeconds * 1_000, signal };
  const waited = await Promise.all(
    operations.map(async (operation) =>
      isWaitOver(operation) ? operation : services.waiters.wait(tenant, operation._id, options),
    ),
  );
  const open = operations.filter((_operation, index) => waited[index] === undefined);
  const now = signal.aborted ? NOBODY : await readNow(request, open);
  return operations.map((operation, index) => waited[index] ?? now.get(operation._id) ?? operation);
}

/** As asked for, within what the tenant may. */
function waitSecondsOf(request: RequestContext): number {
  const { services, tenant } = request;
  return Math.min(request.preferences().waitSeconds, services.waitSecondsMax(tenant.tenantId));
}

const NOBODY: ReadonlyMap<string, OperationDoc> = new Map();

/** Never rejects: what cannot be read now was accepted all the same. */
async function readNow(
  { services, tenant }: RequestContext,
  open: readonly OperationDoc[],
): Promise<ReadonlyMap<string, OperationDoc>> {
  const reads = services.operations(tenant);
  const found: OperationDoc[] = [];
  try {
    for (let start = 0; start < open.length; start += LIMITS.waitersReadMax) {
      const part = open.slice(start, start + LIMITS.waitersReadMax);
      found.push(...(await reads.findMany(part.map(({ _id }) => _id))));
    }
  } catch {
    // The states from before the wait are answered.
  }
  return new Map(found.map((operation) => [operation._id, operation]));
}

interface OperationReply {
  readonly operation: OperationDoc;
  readonly isReplayed: boolean;
}

function operationReply(
  request: RequestContext,
  { operation, isReplayed }: OperationReply,
): Reply<View<typeof operationAnswer>> {
  const status = statusOfOperation(operation);
  const applied = preferenceApplied(request, status === 200);
  return {
    status,
    headers: {
      Location: operationPath(operation._id),
      ...(isReplayed && { 'Idempotent-Replayed': 'true' }),
      ...applied,
    },
    body: request.preferences().isMinimal
      ? operationBrief(operation)
      : operationView(operation, request.services.registry),
  };
}

/** `Preference-Applied` (RFC 7240): what was asked for and done. */
export function preferenceApplied(
  request: RequestContext,
  isFinal: boolean,
): Readonly<Record<string, string>> {
  const { isMinimal } = request.preferences();
  const waitSeconds = waitSecondsOf(request);
  const applied = [
    ...(waitSeconds > 0 && isFinal ? [`wait=${waitSeconds}`] : []),
    ...(isMinimal ? ['return=minimal'] : []),
  ];
  return applied.length === 0 ? {} : { 'Preference-Applied': applied.join(', ') };
}
