/**
 * All that a run leaves behind, as plain data: what clients were answered, what the database, the
 * payment provider and the receiver have, and what was broken when. The rules of the checker read
 * nothing else. Times are milliseconds since the run's start, by the harness's monotonic clock,
 * unless they are dates, which are the platform's own.
 */
export interface Evidence {
  readonly history: readonly HistoryEvent[];
  readonly operations: readonly OperationRow[];
  readonly entries: readonly EntryRow[];
  readonly wallets: readonly WalletRow[];
  readonly transfers: readonly TransferRow[];
  readonly holds: readonly HoldRow[];
  readonly deliveries: readonly DeliveryRow[];
  readonly outboxRows: number;
  readonly payments: readonly PaymentRow[];
  readonly receipts: readonly WebhookReceipt[];
  readonly samples: readonly BooksSample[];
  /** Ledger documents that were there once and are different, or gone, now. */
  readonly rewritten: readonly { readonly id: string; readonly change: string }[];
  readonly faults: readonly StruckFault[];
  readonly queues: readonly QueueState[];
  readonly balances: readonly BalanceReading[];
  readonly logs: readonly LogFinding[];
  readonly deaths: readonly Death[];
  /** When each operation was first seen terminal, if that was after the heal. */
  readonly settledAtMs: ReadonlyMap<string, number>;
  readonly healedAtMs: number;
  readonly endedAtMs: number;
  readonly boundMs: number;
  readonly isolation: readonly { readonly path: string; readonly status: number }[];
}

interface Sent {
  readonly atMs: number;
  /** One HTTP request; a bulk's items share it. */
  readonly request: number;
  readonly key: string;
  readonly api: string;
}

/** What a client meant by a request, where its outcome follows from that. */
export interface Purpose {
  /** Everything that it needs was accepted before: it must not be refused for want of it. */
  readonly isProvided?: true;
  /** Bad on purpose: it must leave no trace. */
  readonly isBad?: true;
}

export type HistoryEvent =
  | (Sent & {
      readonly kind: 'invoked';
      readonly type: string;
      readonly input: unknown;
      readonly purpose: Purpose;
      /** Its place in a bulk request. */
      readonly item?: number;
    })
  /** The operation's own document came back. */
  | (Sent & {
      readonly kind: 'answered';
      readonly id: string;
      readonly http: number;
      readonly status: string;
      readonly isReplay: boolean;
    })
  /** Definitely not taken. */
  | (Sent & { readonly kind: 'refused'; readonly http: number; readonly code: string })
  /** No answer, or one that says as much. */
  | (Sent & { readonly kind: 'unknown'; readonly reason: string })
  /** A look at an operation. */
  | {
      readonly kind: 'read';
      readonly fromMs: number;
      readonly atMs: number;
      readonly api: string;
      readonly id: string;
      readonly http: number;
      readonly status: string;
    };

export interface OperationRow {
  readonly id: string;
  readonly tenantId: string;
  readonly type: string;
  readonly status: string;
  readonly key: string;
  readonly orderingKey: string;
  readonly input: unknown;
  readonly result: unknown;
  readonly errorCode: string | undefined;
  /** It has begun, and has steps. */
  readonly isStepwise: boolean;
  /** Why a human is needed, step by step. */
  readonly story: string;
  readonly createdAt: Date;
  readonly completedAt: Date | undefined;
}

export type BalanceType = 'real' | 'bonus' | 'locked';

export interface EntryRow {
  readonly id: string;
  readonly operationId: string;
  readonly walletId: string;
  readonly userId: string;
  readonly currency: string;
  readonly balanceType: BalanceType;
  /** Signed. */
  readonly amount: bigint;
  readonly balanceAfter: bigint;
  readonly seq: number;
  readonly createdAt: Date;
}

export interface WalletRow {
  readonly id: string;
  readonly userId: string;
  readonly currency: string;
  readonly balance: bigint;
  readonly bonusBalance: bigint;
  readonly lockedBalance: bigint;
  readonly overdraftLimit: bigint;
  readonly seq: number;
}

export interface TransferRow {
  readonly id: string;
  readonly operationId: string;
  readonly amount: bigint;
  readonly reversedAmount: bigint;
}

export interface HoldRow {
  readonly id: string;
  readonly operationId: string;
  readonly userId: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly captured: bigint;
  readonly released: bigint;
  readonly status: string;
  readonly isManaged: boolean;
}

export interface DeliveryRow {
  readonly id: string;
  readonly channel: string;
  readonly status: string;
  readonly eventId: string;
  readonly event: string;
  readonly endpointId: string | undefined;
  readonly attempts: number;
  readonly notBefore: Date | undefined;
}

export interface PaymentRow {
  readonly key: string;
  readonly kind: string;
  readonly status: string;
  readonly isVoided: boolean;
  readonly amount: string;
}

export interface WebhookReceipt {
  readonly endpoint: string;
  readonly atMs: number;
  readonly verdict: string;
  /** The header: the same on every attempt. */
  readonly id: string;
  readonly eventId: string;
  readonly event: string;
  readonly operationId: string;
}

/** The books in one snapshot, while things break. */
export interface BooksSample {
  readonly atMs: number;
  /** `<currency> <balance type>` to the sum of all wallets. */
  readonly wallets: ReadonlyMap<string, bigint>;
  /** The same of all entries, where that was read. */
  readonly entries?: ReadonlyMap<string, bigint>;
  /** Wallets that have spent what they did not have. */
  readonly overspent: readonly string[];
}

export interface StruckFault {
  readonly id: string;
  readonly kind: string;
  readonly target: string;
  readonly struckAtMs: number;
  readonly healedAtMs: number;
  /** Processes, connections, messages or calls that it really befell. */
  readonly strikes: number;
  readonly note?: string;
}

export interface QueueState {
  readonly queue: string;
  readonly active: number;
  readonly waiting: number;
  readonly delayed: number;
  readonly failed: number;
  /** Operations that failed jobs stand for. */
  readonly failedOperations: readonly string[];
}

export interface BalanceReading {
  readonly walletId: string;
  readonly api: string;
  readonly served: string;
  readonly stored: string;
}

export interface LogFinding {
  readonly process: string;
  readonly kind: 'unhandled' | 'secret' | 'crash';
  readonly line: string;
}

export interface Death {
  readonly process: string;
  readonly atMs: number;
  readonly how: string;
}

export const TERMINAL: ReadonlySet<string> = new Set([
  'succeeded',
  'rejected',
  'compensated',
  'canceled',
  'expired',
]);

export const OVER: readonly string[] = [...TERMINAL, 'needs_attention'];

/** Ended, or with a human. */
export function isOver(status: string): boolean {
  return TERMINAL.has(status) || status === 'needs_attention';
}
