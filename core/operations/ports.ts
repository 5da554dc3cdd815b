import type { JobPresence } from '../events/job-presence.ts';
import type { OutboxRow } from '../events/outbox.ts';
import type { OperationJob } from './operation.ts';

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
  promote(jobs: readonly OperationJob[]): Promise<void>;
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
