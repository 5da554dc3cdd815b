import type { OperationId } from '../kernel/ids.ts';

/** Something that happened, recorded in the same transaction as what made it happen. */
export interface OutboxEvent {
  /** `<operationId>.e<n>`: the same on every publication, so that consumers can drop repeats. */
  readonly id: string;
  readonly name: string;
  /** Absent where no operation was behind it (an endpoint was disabled): then the id is `evt_…`. */
  readonly operationId?: OperationId;
  readonly data?: Readonly<Record<string, string>>;
  /** Who may see it in a stream of their own; by default that follows from the rest. */
  readonly users?: readonly string[];
  /**
   * Of an operation that has events in several rows: grows from row to row (`turnOf`). It stands in
   * the row, not in the event that is told.
   */
  readonly turn?: number;
}

/** Where a row stands among those of one operation. */
export interface RowTurn {
  readonly operationId: OperationId;
  readonly turn: number;
}

/**
 * A tenant's events of one transaction, published together in a job of the same id. The row goes
 * when the consumer has dealt with it, so an event survives the loss of Redis.
 */
export interface OutboxRow {
  readonly _id: string;
  readonly tenantId: string;
  readonly events: readonly OutboxEvent[];
  /** It waits for rows with an earlier turn of one of these operations. */
  readonly turns?: readonly RowTurn[];
  /** By operation, where its trace is recorded: W3C trace context. */
  readonly traces?: Readonly<Record<string, string>>;
  /** When recovery publishes it again (repeating is harmless). */
  readonly nextCheckAt: Date;
  readonly createdAt: Date;
}
