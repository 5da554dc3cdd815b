import { z } from 'zod';
import { LIMITS } from '../config/limits.ts';
import type { RedisRole, WorkerPool } from '../config/env.ts';
import { CHANNELS, type Channel } from '../core/notifications/ports.ts';

/** Names of the queues, by what stands in them. */
export type QueueName =
  `settlement-${number}` | 'saga' | 'events' | 'recovery' | `notify-${Channel}`;

interface QueueSpec {
  readonly summary: string;
  readonly role: RedisRole;
  /** The worker pool that consumes it. */
  readonly pool: WorkerPool;
  /** Money queues cannot be changed from Bull Board. */
  readonly isMoney: boolean;
  readonly payload: z.ZodType;
  readonly attempts: number;
  readonly backoff: {
    readonly type: 'exponential';
    readonly delay: number;
    readonly jitter: number;
  };
  readonly removeOnComplete: { readonly age: number; readonly count: number };
  readonly removeOnFail: { readonly age: number; readonly count: number };
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly maxStalledCount: number;
}

const trace = z.strictObject({
  correlationId: z.string().min(1).max(LIMITS.correlationIdCharsMax),
  traceparent: z.string().max(64).exactOptional(),
});

export const operationPayload = z.strictObject({
  v: z.literal(1),
  operationId: z.string().regex(/^op_[0-9a-f]{32}$/),
  tenantId: z.string().min(1),
  seq: z.int().min(1),
  trace,
});
export type OperationPayload = z.infer<typeof operationPayload>;

const laneItem = operationPayload.pick({ operationId: true, tenantId: true, seq: true });

/** Several operations of one lane; how each is traced stands in its record. */
const sharedPayload = z.strictObject({
  v: z.literal(2),
  operations: z.array(laneItem).min(1).max(LIMITS.jobOperationsMax),
});

/** A job of a lane: one operation, or several that were accepted together. */
export const lanePayload = z.discriminatedUnion('v', [operationPayload, sharedPayload]);
export type LanePayload = z.infer<typeof lanePayload>;

export function operationsOf(payload: LanePayload): readonly z.infer<typeof laneItem>[] {
  return payload.v === 1 ? [payload] : payload.operations;
}

export const eventsPayload = z.strictObject({
  v: z.literal(1),
  rowId: z.string().min(1),
  tenantId: z.string().min(1),
});
export type EventsPayload = z.infer<typeof eventsPayload>;

const oneDelivery = z.strictObject({
  v: z.literal(1),
  deliveryId: z.string().regex(/^dlv_[0-9a-f]{48}$/),
  tenantId: z.string().min(1),
  seq: z.int().min(1),
});

const deliveryItem = oneDelivery.pick({ deliveryId: true, seq: true });

/** One delivery, or several of a channel, whoever they go to. */
export const deliveryPayload = z.discriminatedUnion('v', [
  oneDelivery,
  z.strictObject({
    v: z.literal(2),
    deliveries: z.array(deliveryItem).min(1).max(LIMITS.jobDeliveriesMax),
  }),
]);
export type DeliveryPayload = z.infer<typeof deliveryPayload>;

export function deliveriesOf(payload: DeliveryPayload): readonly z.infer<typeof deliveryItem>[] {
  return payload.v === 1 ? [payload] : payload.deliveries;
}

const HOUR_SECONDS = 3_600;

export const sweepPayload = z.strictObject({ v: z.literal(1), rule: z.literal('sweep') });
export type SweepPayload = z.infer<typeof sweepPayload>;

/** Finished jobs are kept for a look, not for the record: the record is MongoDB. */
const RETENTION = {
  removeOnComplete: { age: HOUR_SECONDS, count: 1_000 },
  removeOnFail: { age: 7 * 24 * HOUR_SECONDS, count: 5_000 },
} as const;

const settlement: QueueSpec = {
  ...RETENTION,
  summary: 'Atomic operations of one lane, settled in batches in the order of acceptance',
  role: 'queue',
  pool: 'settlement',
  isMoney: true,
  payload: lanePayload,
  removeOnComplete: { age: HOUR_SECONDS, count: 250 }, // each may name dozens of operations
  attempts: 20,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
  concurrency: LIMITS.laneConcurrency,
  lockDurationMs: 30_000,
  stalledIntervalMs: 15_000,
  maxStalledCount: 1_000, // the operation decides when to give up, not the job
};

const saga: QueueSpec = {
  ...RETENTION,
  summary: 'Stepwise operations, one job each time that one has something to do',
  role: 'queue',
  pool: 'saga',
  isMoney: true,
  payload: operationPayload,
  attempts: 20,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
  concurrency: LIMITS.sagaConcurrency,
  // A job whose worker died before the claim comes back by these: within the 45 s promised.
  lockDurationMs: 15_000,
  stalledIntervalMs: 5_000,
  maxStalledCount: 1_000, // as above
};

const events: QueueSpec = {
  ...RETENTION,
  summary: 'Outbox rows: what happened, for notifications and realtime',
  role: 'queue',
  pool: 'notification',
  isMoney: false,
  payload: eventsPayload,
  attempts: 20,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
  concurrency: 8,
  lockDurationMs: 15_000,
  stalledIntervalMs: 5_000,
  maxStalledCount: 1_000,
};

/** What is sent again and when is the delivery's own business (core/notifications/policies.ts). */
const notify: Omit<QueueSpec, 'summary' | 'concurrency'> = {
  ...RETENTION,
  role: 'queue',
  pool: 'notification',
  isMoney: false,
  payload: deliveryPayload,
  removeOnComplete: { age: HOUR_SECONDS, count: 250 }, // each may name dozens of deliveries
  attempts: 20,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
  lockDurationMs: 15_000,
  stalledIntervalMs: 5_000,
  maxStalledCount: 1_000,
};

const NOTIFY: Readonly<Record<Channel, Pick<QueueSpec, 'summary' | 'concurrency'>>> = {
  email: { summary: 'Mails to users', concurrency: LIMITS.deliveryConcurrency },
  sms: { summary: 'Text messages to users', concurrency: LIMITS.deliveryConcurrency },
  push: { summary: "Push messages to users' devices", concurrency: LIMITS.deliveryConcurrency },
  webhook: { summary: "Events to tenants' endpoints", concurrency: LIMITS.deliveryConcurrency },
  realtime: { summary: "Messages to users' streams", concurrency: LIMITS.deliveryConcurrency },
};

const recovery: QueueSpec = {
  ...RETENTION,
  removeOnComplete: { age: HOUR_SECONDS, count: 100 },
  summary: 'The second trigger of the sweep, by a job scheduler; the first is a timer',
  role: 'queue',
  pool: 'recovery',
  isMoney: false,
  payload: sweepPayload,
  attempts: 1, // the next one comes soon
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  concurrency: 1,
  lockDurationMs: 30_000,
  stalledIntervalMs: 15_000,
  maxStalledCount: 1,
};

function lanesOf(lanes: number): readonly number[] {
  return Array.from({ length: lanes }, (_, lane) => lane);
}

/** Those of the default setting. */
export const LANES = lanesOf(LIMITS.lanes);

export function laneQueue(lane: number): QueueName {
  return `settlement-${lane}`;
}

export function notifyQueue(channel: Channel): QueueName {
  return `notify-${channel}`;
}

/** Of any number of lanes that the setting allows: work may stand in those of an earlier one. */
const OF_LANES: ReadonlyMap<string, QueueSpec> = new Map(
  lanesOf(LIMITS.lanesEver).map((lane) => [laneQueue(lane), settlement]),
);

/** Every queue of an installation with so many lanes: one row each, every option stated. */
export function queuesWith(lanes: number): ReadonlyMap<QueueName, QueueSpec> {
  return new Map([
    ...lanesOf(lanes).map((lane): [QueueName, QueueSpec] => [laneQueue(lane), settlement]),
    ...OTHERS,
  ]);
}

/** Undefined: there is no such queue. */
export function queueSpecOf(name: QueueName): QueueSpec | undefined {
  return OTHERS.get(name) ?? OF_LANES.get(name);
}

const OTHERS: ReadonlyMap<QueueName, QueueSpec> = new Map<QueueName, QueueSpec>([
  ['saga', saga],
  ['events', events],
  ['recovery', recovery],
  ...CHANNELS.map((channel): [QueueName, QueueSpec] => [
    notifyQueue(channel),
    { ...notify, ...NOTIFY[channel] },
  ]),
]);

/** With the default number of lanes. */
export const QUEUES = queuesWith(LIMITS.lanes);
