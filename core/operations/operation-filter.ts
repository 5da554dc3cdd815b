import type { OperationStatus } from './status.ts';

/** What a list of one tenant's operations is asked for. */
export interface OperationFilter {
  readonly type?: string;
  readonly status?: OperationStatus;
  /** Whom the input names as the one it is about, who pays or who is paid. */
  readonly userId?: string;
  readonly ids?: readonly string[];
  readonly idempotencyKey?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** By the time inside the operation id, when it was accepted. Both ends exclusive. */
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}
