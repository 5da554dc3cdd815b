import { z } from 'zod';
import { STATUSES } from '../../core/operations/status.ts';
import { entrySchema } from './ledger.ts';
import { deliveryBriefSchema } from './notification.ts';
import { count, errorCode, json, operationId, text, time } from './parts.ts';

const status = z.enum(STATUSES);

/** Of an event only what it speaks about is there. */
export const timelineEvent = z
  .strictObject({
    at: time,
    event: z.enum([
      'accepted',
      'scheduled',
      'enqueued',
      'recovered',
      'step.started',
      'step.completed',
      'step.refused',
      'step.failed',
      'step.interrupted',
      'step.waiting',
      'step.asked',
      'step.omitted',
      'compensation.started',
      'compensation.completed',
      'compensation.failed',
      'compensation.interrupted',
      'signal.received',
      'cancel.requested',
      'retried',
      'resolved',
      'parked',
      'settled',
    ]),
    runAt: time.exactOptional(),
    queue: text.exactOptional(),
    jobSeq: count.exactOptional(),
    times: count.exactOptional(),
    step: text.exactOptional(),
    attempt: count.exactOptional(),
    attempts: count.exactOptional(),
    worker: text.exactOptional(),
    batch: text.exactOptional(),
    answer: z.literal('absent').exactOptional(),
    result: json.exactOptional(),
    code: errorCode.exactOptional(),
    detail: text.exactOptional(),
    retryAt: time.exactOptional(),
    signal: text.exactOptional(),
    until: time.exactOptional(),
    actor: text.exactOptional(),
    data: json.exactOptional(),
    note: text.exactOptional(),
    assume: z.enum(['applied', 'absent']).exactOptional(),
    direction: z.enum(['forward', 'back']).exactOptional(),
    before: status.exactOptional(),
    after: status.exactOptional(),
    status: status.exactOptional(),
  })
  .meta({ id: 'TimelineEvent' });

const history = {
  operationId,
  type: text,
  status,
  correlationId: text,
  traceparent: text.exactOptional(),
  events: z.array(timelineEvent),
  entries: z.array(entrySchema),
};

/** Without what other rooms know of it. */
export const historySchema = z.strictObject(history);

export const eventSchema = z
  .strictObject({
    id: text,
    type: text.meta({ description: 'Name of the event' }),
    timestamp: time.meta({ description: 'When it happened' }),
    operationId: operationId.exactOptional(),
    data: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Event', description: 'As in streams and webhooks' });

export const timelineSchema = z
  .strictObject({
    ...history,
    deliveries: z.array(deliveryBriefSchema),
    stream: z.array(eventSchema),
  })
  .meta({ id: 'Timeline' });
