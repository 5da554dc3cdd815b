import type { Problem } from './errors.ts';
import type { OperationInputs } from './generated/operations.ts';

export type OperationType = keyof OperationInputs;

export type OperationStatus =
  | 'accepted'
  | 'running'
  | 'waiting'
  | 'compensating'
  | 'succeeded'
  | 'rejected'
  | 'compensated'
  | 'canceled'
  | 'expired'
  | 'needs_attention';

/** An operation as the API shows it. */
export interface Operation<T extends string = string> {
  readonly id: string;
  readonly type: T;
  readonly status: OperationStatus;
  /** As it was accepted: amounts as digits, times in UTC. Lists leave it out of batches. */
  readonly input?: unknown;
  /** What it has brought about, such as `transferId` or `holdId`. */
  readonly result?: unknown;
  readonly error?: Problem;
  readonly preconditions?: {
    readonly ifAvailableAtLeast?: string;
    readonly ifWalletSeq?: number;
    readonly expiresAt?: string;
  };
  readonly dryRun?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly runAt?: string;
  readonly deadline?: string;
  readonly waitingFor?: WaitingFor;
  readonly steps?: readonly Step[];
  readonly signals?: Readonly<
    Record<string, { readonly data: unknown; readonly at: string; readonly by: string }>
  >;
  readonly cancelRequested?: { readonly at: string; readonly by: string };
  readonly resolution?: { readonly at: string; readonly [detail: string]: unknown };
  readonly idempotencyKey: string;
  readonly correlationId: string;
  readonly createdAt: string;
  readonly completedAt?: string;
  readonly links: { readonly self: string; readonly timeline: string };
}

/** Which signal a step waits for. */
export interface WaitingFor {
  readonly signal: string;
  readonly step?: string | undefined;
  readonly until?: string;
}

export interface Step {
  readonly name: string;
  readonly status: string;
  readonly attempt: number;
  readonly worker?: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly detail: string };
  readonly retryAt?: string;
  readonly undoAttempt?: number;
  readonly undoneAt?: string;
}

/** With `minimal`: what a client needs to go on. */
export interface OperationBrief {
  readonly id: string;
  readonly status: OperationStatus;
  readonly error?: { readonly code?: string | undefined; readonly detail?: string | undefined };
}

/** What happened to an operation, in order, and what it has written. */
export interface Timeline {
  readonly operationId: string;
  readonly type: string;
  readonly status: OperationStatus;
  readonly correlationId: string;
  readonly traceparent?: string;
  readonly events: readonly TimelineEvent[];
  readonly entries: readonly Entry[];
  readonly deliveries: readonly DeliveryBrief[];
  readonly stream: readonly unknown[];
}

export interface TimelineEvent {
  readonly at: string;
  readonly event: string;
  readonly [detail: string]: unknown;
}

/** One side of a movement of money, as it stands in the ledger for ever. */
export interface Entry {
  readonly id: string;
  readonly operationId: string;
  readonly walletId: string;
  readonly userId: string;
  readonly currency: string;
  readonly balanceType: 'real' | 'bonus' | 'locked';
  readonly direction: 'debit' | 'credit';
  readonly amount: string;
  readonly balanceAfter: string;
  readonly seq: number;
  readonly transferId?: string;
  readonly holdId?: string;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly effectiveAt?: string;
  readonly createdAt: string;
}

export type Channel = 'email' | 'sms' | 'push' | 'webhook' | 'realtime';

export type DeliveryStatus =
  'pending' | 'sending' | 'sent' | 'failed' | 'skipped' | 'expired' | 'uncertain';

export interface DeliveryBrief {
  readonly id: string;
  readonly channel: Channel;
  readonly status: DeliveryStatus;
  readonly event: { readonly id: string; readonly name: string; readonly at: string };
  readonly userId?: string;
  readonly endpointId?: string;
  readonly attemptCount: number;
  readonly lastAttemptAt?: string;
  readonly provider?: string;
  readonly reason?: { readonly code: string; readonly detail: string };
  readonly deferral?: Deferral;
  readonly createdAt: string;
  readonly completedAt?: string;
}

export interface Deferral {
  readonly code: string;
  readonly provider?: string;
  readonly at: string;
  readonly until: string;
  readonly times: number;
}
