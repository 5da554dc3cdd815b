import type { BulkJobOptions } from 'bullmq';
import { type DeliveryJob, deliveryJobId } from '../core/notifications/delivery/delivery.ts';
import type { OperationJob } from '../core/operations/operation.ts';
import type { OutboxRow } from '../core/events/outbox.ts';
import {
  type DeliveryPayload,
  type EventsPayload,
  type LanePayload,
  deliveryPayload,
  eventsPayload,
  lanePayload,
  operationPayload,
} from './catalog.ts';
import { noneFails } from '../core/kernel/every.ts';

/** A job as BullMQ takes it. */
export interface JobSpec {
  readonly name: string;
  readonly data: LanePayload | EventsPayload | DeliveryPayload;
  readonly opts: BulkJobOptions & { readonly jobId: string };
}

export type RowRef = Pick<OutboxRow, '_id' | 'tenantId'>;

export function eventsJobSpec({ _id, tenantId }: RowRef): JobSpec {
  const data = eventsPayload.parse({ v: 1, rowId: _id, tenantId });
  return { name: 'events', data, opts: { jobId: _id } };
}

/** A job with the deliveries that name it. */
type DeliveriesJob = readonly [DeliveryJob, ...DeliveryJob[]];

/** The jobs that deliveries name, each with all that name it, and no more than it may stand for. */
export function deliveryJobs(jobs: readonly DeliveryJob[]): readonly DeliveriesJob[] {
  const byId = new Map<string, [DeliveryJob, ...DeliveryJob[]]>();
  for (const job of jobs) {
    const key = `${job.channel}/${deliveryJobId(job)}`;
    const shared = byId.get(key);
    if (shared === undefined) byId.set(key, [job]);
    else if (!shared.some(({ deliveryId }) => deliveryId === job.deliveryId)) shared.push(job);
  }
  return [...byId.values()];
}

export function deliveryJobSpec(jobs: DeliveriesJob, nowMs: number): JobSpec {
  const [{ deliveryId, tenantId, channel, seq, jobId, isUrgent, notBefore }] = jobs;
  const data = deliveryPayload.parse(
    jobId === undefined
      ? { v: 1, deliveryId, tenantId, seq }
      : { v: 2, deliveries: jobs.map((job) => ({ deliveryId: job.deliveryId, seq: job.seq })) },
  );
  const delay = Math.max(0, (notBefore?.getTime() ?? 0) - nowMs);
  const urgent = isUrgent === true && delay === 0 ? { lifo: true } : {};
  return { name: channel, data, opts: { jobId: deliveryJobId(jobs[0]), delay, ...urgent } };
}

/** A job with the operations that name it. */
type SharedJob = readonly [OperationJob, ...OperationJob[]];

/** The jobs that operations name, each with all that name it. */
export function sharedJobs(jobs: readonly OperationJob[]): readonly SharedJob[] {
  const byId = new Map<string, [OperationJob, ...OperationJob[]]>();
  for (const job of jobs) {
    const shared = byId.get(job.jobId);
    if (shared === undefined) byId.set(job.jobId, [job]);
    else shared.push(job);
  }
  return [...byId.values()];
}

/** Named after the type of its operations; Bull Board shows it. */
export function operationsJobSpec(jobs: SharedJob): JobSpec {
  const [first, ...others] = jobs;
  const isOfOneType = noneFails(others, ({ type }) => type === first.type);
  return {
    name: isOfOneType ? first.type : MIXED_TYPES,
    data: others.length === 0 ? payloadOf(first) : sharedPayloadOf(jobs),
    opts: { jobId: first.jobId },
  };
}

const MIXED_TYPES = 'several types';

function payloadOf({ operationId, tenantId, seq, correlationId, traceparent }: OperationJob) {
  const trace = { correlationId, ...(traceparent !== undefined && { traceparent }) };
  return operationPayload.parse({ v: 1, operationId, tenantId, seq, trace });
}

function sharedPayloadOf(jobs: SharedJob): LanePayload {
  const operations = jobs.map(({ operationId, tenantId, seq }) => ({ operationId, tenantId, seq }));
  return lanePayload.parse({ v: 2, operations });
}
