import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  QUEUES,
  type QueueName,
  deliveryPayload,
  laneQueue,
  operationPayload,
} from '../../queues/catalog.ts';
import { present } from '../../core/kernel/assert.ts';
import { type DeliveryJob, deliveryJobId } from '../../core/notifications/delivery/delivery.ts';
import { type OperationJob, jobIdOf } from '../../core/operations/operation.ts';

/** The baseline has no lanes: one queue for everything. */
export const BASELINE_QUEUE = 'baseline';
export const BASELINE_CONCURRENCY = 32;
/** The name of the jobs that send a webhook; the others have that of their operation's type. */
export const WEBHOOK_JOB = 'webhook';

/** A queue with the options that ours has. */
export function openBaselineQueue(
  name: typeof BASELINE_QUEUE | 'events',
  options: { readonly connection: Redis; readonly prefix: string },
): Queue {
  const like: QueueName = name === 'events' ? 'events' : laneQueue(0);
  const spec = present(QUEUES.get(like), `queue ${like}`);
  return new Queue(name, {
    ...options,
    skipWaitingForReady: true,
    defaultJobOptions: {
      attempts: spec.attempts,
      backoff: { ...spec.backoff },
      removeOnComplete: { ...spec.removeOnComplete },
      removeOnFail: { ...spec.removeOnFail },
      stackTraceLimit: 5,
    },
    streams: { events: { maxLen: 1_000 } },
  });
}

/** The job of an operation, with the payload and the id that ours has. */
export function baselineJob(job: OperationJob) {
  const { operationId, tenantId, seq, correlationId, type } = job;
  const data = operationPayload.parse({
    v: 1,
    operationId,
    tenantId,
    seq,
    trace: { correlationId },
  });
  return { name: type, data, opts: { jobId: jobIdOf(operationId, seq) } };
}

/** The job of a delivery, likewise. */
export function webhookJob(job: DeliveryJob) {
  const { deliveryId, tenantId, seq } = job;
  const data = deliveryPayload.parse({ v: 1, deliveryId, tenantId, seq });
  return { name: WEBHOOK_JOB, data, opts: { jobId: deliveryJobId(job) } };
}
