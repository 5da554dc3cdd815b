import type { OperationDoc } from './operation.ts';

/** A claim on an operation: until the lease is over nobody else works on it. */
export interface Claim {
  /** As the claim left it. */
  readonly operation: OperationDoc;
  readonly epoch: number;
  /** Stored size of the operation. */
  readonly bytes?: number;
  /** Database time of the claim. */
  readonly at: Date;
}
