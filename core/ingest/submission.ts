import type { Json } from '../kernel/canonical.ts';
import type { AppError } from '../kernel/errors.ts';
import type { OperationDefinition } from '../operations/define.ts';
import type { OperationDoc, Preconditions } from '../operations/operation.ts';

/** A request that passed validation: what ingest makes durable. */
export interface Submission {
  readonly definition: OperationDefinition;
  /** As the definition's schema normalised it. */
  readonly input: Json;
  readonly idempotencyKey: string;
  /** A line of the client's own choosing; the default follows from the input. */
  readonly orderingKey?: string;
  readonly preconditions?: Preconditions;
  /** Too late to run from then on (`expiresAt` in the request). */
  readonly deadline?: Date;
  readonly dryRun?: true;
  /** Not before then. */
  readonly runAt?: Date;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface SubmissionContext {
  readonly tenantId: string;
  readonly correlationId: string;
  readonly traceparent?: string;
}

/**
 * What became of one submission. `refused` stored nothing, unless the error is `ledger_unavailable`:
 * then it may have been stored, and only a repeat under the same key tells.
 */
export type SubmissionOutcome =
  | { readonly kind: 'accepted' | 'replayed'; readonly operation: OperationDoc }
  | { readonly kind: 'refused'; readonly error: AppError };

export interface Ingest {
  /**
   * Makes submissions durable and enqueues them, in the given order; one outcome each, at the same
   * index. Concurrent calls share commits. Never throws for a single bad item, and never takes much
   * longer than `ingestAnswerMs`, however long the database does.
   */
  submit(
    submissions: readonly Submission[],
    context: SubmissionContext,
  ): Promise<readonly SubmissionOutcome[]>;
  /** Waits for what is under way, refuses what comes after with `shutting_down`. */
  drain(): Promise<void>;
}
