import { z } from 'zod';
import { count, errorCode, text } from './parts.ts';

/** What the pages without a key answer. */

export const addressesSchema = z
  .strictObject({ name: z.literal('sluice'), addresses: z.record(z.string(), text) })
  .meta({ id: 'Addresses' });

export const healthSchema = z
  .strictObject({ status: z.literal('ok'), service: text })
  .meta({ id: 'Health' });

export const readinessSchema = z
  .strictObject({
    status: z.enum(['ready', 'not ready']),
    service: text,
    dependencies: z.record(
      z.string(),
      z.strictObject({ ok: z.boolean(), reason: text.exactOptional(), tookMs: z.number() }),
    ),
  })
  .meta({ id: 'Readiness' });

export const openApiSchema = z
  .looseObject({ openapi: z.literal('3.1.0'), paths: z.record(z.string(), z.unknown()) })
  .meta({ id: 'OpenApi' });

export const eventsSchema = z
  .strictObject({
    $schema: text,
    title: text,
    events: z.array(
      z.strictObject({ name: text, summary: text, schema: z.record(z.string(), z.unknown()) }),
    ),
  })
  .meta({ id: 'EventCatalogue' });

const advice = z.strictObject({
  workers: count.meta({ description: 'Processes that consume for it now' }),
  backlog: count,
  oldestWaitSeconds: z.number(),
  recommendedReplicas: count,
});

const depth = z.strictObject({
  queue: text,
  pool: text,
  waiting: count,
  prioritised: count,
  delayed: count,
  due: count,
  active: count,
  oldestWaitSeconds: z.number(),
  load: z.number(),
  perJob: z.number().exactOptional(),
  workers: count,
});

export const autoscaleSchema = z
  .strictObject({
    bounds: z.strictObject({ min: count, max: count }),
    pools: z.record(z.string(), advice),
    queues: z.array(depth),
  })
  .meta({ id: 'Autoscale' });

export const codeSchema = z
  .strictObject({
    type: text,
    code: errorCode,
    title: text,
    status: z.int(),
    kind: text,
    retryable: z.boolean(),
    meaning: text,
    action: text.meta({ description: 'What to do about it' }),
  })
  .meta({ id: 'ErrorCodePage', description: 'What an error code means' });

export const codesSchema = z
  .strictObject({ items: z.array(codeSchema) })
  .meta({ id: 'ErrorCodes' });
