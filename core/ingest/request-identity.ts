import { type Json, canonicalHash, jsonDifferences } from '../kernel/canonical.ts';
import type { FieldError } from '../kernel/errors.ts';
import type { OperationDoc } from '../operations/operation.ts';
import type { Submission } from './submission.ts';

/** What makes two requests the same: everything the client stated, but for the key itself. */
interface Stated {
  readonly type: string;
  readonly input: Json;
  readonly orderingKey?: string;
  readonly preconditions?: Submission['preconditions'];
  readonly deadline?: Date;
  readonly dryRun?: true;
  readonly runAt?: Date;
  readonly metadata?: Readonly<Record<string, string>>;
}

function requestJson(stated: Stated | Submission): Json {
  const type = 'type' in stated ? stated.type : stated.definition.type;
  const { input, orderingKey, preconditions, deadline, dryRun, runAt, metadata } = stated;
  const conditions = {
    ...preconditions,
    ...(deadline !== undefined && { expiresAt: deadline.toISOString() }),
  };
  return {
    type,
    input,
    ...(orderingKey !== undefined && { orderingKey }),
    ...(Object.keys(conditions).length > 0 && { preconditions: conditions }),
    ...(dryRun === true && { dryRun }),
    ...(runAt !== undefined && { runAt: runAt.toISOString() }),
    ...(metadata !== undefined && { metadata }),
  };
}

const CLIENT_KEY = /^[^|]*\|k:/;

function fromStored(operation: OperationDoc): Stated {
  const isClientKey = CLIENT_KEY.test(operation.orderingKey);
  return {
    type: operation.type,
    input: operation.input,
    ...(isClientKey && { orderingKey: operation.orderingKey.replace(CLIENT_KEY, '') }),
    ...(operation.preconditions !== undefined && { preconditions: operation.preconditions }),
    ...(operation.deadline !== undefined && { deadline: operation.deadline }),
    ...(operation.dryRun === true && { dryRun: true as const }),
    ...(operation.requestedRunAt !== undefined && { runAt: operation.requestedRunAt }),
    ...(operation.metadata !== undefined && { metadata: operation.metadata }),
  };
}

/** The fingerprint under which a repeated key counts as the same request. */
export function requestHashOf(submission: Submission): string {
  return canonicalHash(requestJson(submission));
}

/** Where a request differs from the stored one of the same key. */
export function requestDifferences(stored: OperationDoc, sent: Submission): readonly FieldError[] {
  const first = fromStored(stored);
  const isFollowing = 'follows' in sent.definition.bind(sent.input).ordering;
  // A line that only came with the operation it follows was not part of the first request.
  const { orderingKey: _line, ...withoutLine } = first;
  const isUnstated = isFollowing && sent.orderingKey === undefined;
  return jsonDifferences(requestJson(isUnstated ? withoutLine : first), requestJson(sent));
}
