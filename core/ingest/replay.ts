import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { OperationDoc } from '../operations/operation.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { requestDifferences } from './request-identity.ts';
import type { Submission, SubmissionContext, SubmissionOutcome } from './submission.ts';

const REPLAY_READS_MAX = 50;
const REPLAY_PAUSE_MS = 20;

interface ReplayDeps {
  readonly store: Pick<OperationStore, 'findByKeys'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly metrics: Metrics;
}

/** A request whose key is taken. */
interface Repeat {
  readonly submission: Submission;
  readonly context: SubmissionContext;
  readonly requestHash: string;
}

/** The stored operations behind duplicate keys, once they are visible at majority. */
export async function replaysOf(
  deps: ReplayDeps,
  repeats: readonly Repeat[],
): Promise<ReadonlyMap<string, OperationDoc>> {
  const found = new Map<string, OperationDoc>();
  let missing = repeats.map(keyOf);
  for (let reads = 0; missing.length > 0 && reads < REPLAY_READS_MAX; reads += 1) {
    if (reads > 0) await deps.clock.sleep(REPLAY_PAUSE_MS);
    for (const operation of await deps.store.findByKeys(missing)) {
      found.set(keyText(operation), operation);
    }
    missing = missing.filter((key) => !found.has(keyText(key)));
  }
  return found;
}

interface Key {
  readonly tenantId: string;
  readonly idempotencyKey: string;
}

function keyOf(request: Repeat): Key {
  return {
    tenantId: request.context.tenantId,
    idempotencyKey: request.submission.idempotencyKey,
  };
}

function keyText(key: Key): string {
  return `${key.tenantId}\n${key.idempotencyKey}`;
}

/** Answers a repeat with the stored operation, or refuses it with the fields that differ. */
export function replay(
  deps: ReplayDeps,
  request: Repeat,
  stored: ReadonlyMap<string, OperationDoc>,
): SubmissionOutcome {
  const operation = stored.get(keyText(keyOf(request)));
  if (operation === undefined) {
    const detail = 'The first request with this key is still being stored; send it again';
    return {
      kind: 'refused',
      error: new AppError('ledger_unavailable', detail, { retryAfterSeconds: 1 }),
    };
  }
  if (operation.requestHash === request.requestHash) {
    deps.metrics.replayed.inc({ type: operation.type });
    return { kind: 'replayed', operation };
  }
  const errors = requestDifferences(operation, request.submission);
  const detail = `Key "${operation.idempotencyKey}" belongs to ${operation._id}, a different request`;
  return {
    kind: 'refused',
    error: new AppError('idempotency_conflict', detail, {
      errors,
      context: { operationId: operation._id },
    }),
  };
}
