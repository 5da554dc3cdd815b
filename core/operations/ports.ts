import type { OperationId } from '../kernel/ids.ts';
import type { OperationJob } from './operation.ts';
import type { OperationStatus } from './status.ts';

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
  /** When recovery publishes it again (repeating is harmless). */
  readonly nextCheckAt: Date;
  readonly createdAt: Date;
}

/** The state of a job as recovery needs it. `delayed`: it stands by for a time of its own. */
export type JobPresence = 'queued' | 'delayed' | 'finished' | 'gone';

/** What core needs of the queues; `queues/producer.ts` implements it. */
export interface JobPublisher {
  /**
   * Enqueues the operations, those that name the same job in one. Repeating a call is harmless.
   *
   * @throws AppError `queue_unavailable` when Redis does not take them in time; some may be there.
   */
  publishOperations(jobs: readonly OperationJob[]): Promise<void>;
  /** Enqueues outbox rows under their own ids. Same contract as above. */
  publishEvents(rows: readonly Pick<OutboxRow, '_id' | 'tenantId'>[]): Promise<void>;
  /** As above, and lets in what is there under the id already, put off or failed for good. */
  republishEvents(rows: readonly Pick<OutboxRow, '_id' | 'tenantId'>[]): Promise<void>;
  /** Where the job of an operation is now. */
  findJobs(jobs: readonly OperationJob[]): Promise<readonly JobPresence[]>;
  /** The jobs that come next in a queue, by id: at most so many. */
  nextJobs(queue: string, max: number): Promise<readonly string[]>;
  /**
   * Lets in jobs that are put off. Until when was said by the clock of whoever did it, which may be
   * wrong, or by a backoff that has grown over a long outage.
   */
  hasten(jobs: readonly OperationJob[]): Promise<void>;
}

/** What stands in Redis alone and follows from the code: job schedulers. */
export interface Schedules {
  /**
   * Puts back what is missing; how many that were.
   *
   * @throws AppError `queue_unavailable` when Redis does not answer.
   */
  ensure(): Promise<number>;
}

export interface SettledHint {
  readonly operationId: OperationId;
  readonly status: OperationStatus;
}

/** Tells waiting requests that operations are settled. A hint: losing one only costs time. */
export interface SettledHints {
  announce(hints: readonly SettledHint[]): void;
}
