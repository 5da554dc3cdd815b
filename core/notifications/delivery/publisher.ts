import type { JobPresence } from '../../events/job-presence.ts';
import type { DeliveryJob } from './delivery.ts';
import type { Channel } from '../ports.ts';

/** What deliveries need of the queues; `queues/producer.ts` implements it. */
export interface DeliveryPublisher {
  /**
   * Enqueues each under its job's id; those of one id share the job, which is due with the first of
   * them. Repeating a call is harmless.
   *
   * @throws AppError `queue_unavailable` when Redis does not take them in time; some may be there.
   */
  publishDeliveries(jobs: readonly DeliveryJob[]): Promise<void>;
  findDeliveryJobs(jobs: readonly DeliveryJob[]): Promise<readonly JobPresence[]>;
  /** The first delivery of each of the jobs that come next on a channel: at most so many. */
  nextDeliveries(channel: Channel, max: number): Promise<readonly string[]>;
}
