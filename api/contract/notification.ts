import { z } from 'zod';
import { RULED_EVENTS } from '../../core/notifications/routing/event-rules.ts';
import { DEFERRALS, DELIVERY_STATUSES } from '../../core/notifications/delivery/delivery.ts';
import { CHANNELS } from '../../core/notifications/ports.ts';
import { count, json, operationId, pageOf, text, time } from './parts.ts';

/** What is told to whom, as clients see it. */

const channel = z.enum(CHANNELS);
const data = z.record(z.string(), json);

const deferral = z
  .strictObject({
    code: z.enum(DEFERRALS),
    provider: text.exactOptional(),
    at: time,
    until: time,
    times: count,
  })
  .meta({ description: 'Why it waits although no attempt of its own failed' });

const brief = {
  id: text,
  channel,
  status: z.enum(DELIVERY_STATUSES),
  event: z.strictObject({ id: text, name: text, at: time }),
  userId: text.exactOptional(),
  endpointId: text.exactOptional(),
  attemptCount: count,
  lastAttemptAt: time.exactOptional(),
  provider: text.exactOptional(),
  reason: z.strictObject({ code: text, detail: text }).exactOptional(),
  deferral: deferral.exactOptional(),
  createdAt: time,
  completedAt: time.exactOptional(),
};

export const deliveryBriefSchema = z.strictObject(brief).meta({ id: 'DeliveryBrief' });

const listed = {
  ...brief,
  operationId: operationId.exactOptional(),
  category: text,
  address: text,
  template: text,
  attemptsUsed: count,
  notBefore: time.exactOptional(),
  resends: count.exactOptional(),
  expiresAt: time,
  links: z.strictObject({ self: text }),
};

export const deliveryListItem = z.strictObject(listed).meta({ id: 'DeliveryListItem' });

const attempt = z.strictObject({
  at: time,
  provider: text,
  outcome: z.enum(['sent', 'permanent', 'throttled', 'transient', 'fault', 'interrupted']),
  code: text.exactOptional(),
  detail: text.exactOptional(),
  status: z.int().exactOptional(),
  reference: text.exactOptional(),
  ms: z.number(),
  worker: text,
});

const content = z.strictObject({
  subject: text.exactOptional(),
  text,
  html: text.exactOptional(),
});

export const deliverySchema = z
  .strictObject({
    ...listed,
    locale: text.exactOptional(),
    content: content.exactOptional(),
    data,
    items: z.array(z.strictObject({ eventId: text, name: text, data })).exactOptional(),
    itemsMore: count.exactOptional(),
    attempts: z.array(attempt),
  })
  .meta({ id: 'Delivery' });

export const replaySchema = z
  .strictObject({
    matched: count,
    replayed: count,
    isComplete: z.boolean().meta({ description: 'False: `nextCursor` is where to go on' }),
    nextCursor: text.exactOptional(),
  })
  .meta({ id: 'Replay' });

export const webhookEndpointSchema = z
  .strictObject({
    id: text,
    url: text,
    events: z.array(text),
    description: text.exactOptional(),
    status: z.enum(['enabled', 'disabled']),
    disabledReason: text.exactOptional(),
    failingSince: time.exactOptional(),
    secret: text
      .exactOptional()
      .meta({ description: 'Shown when it is made and never again: `whsec_` and base64' }),
    oldSecretUntil: time.exactOptional(),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({ self: text }),
  })
  .meta({ id: 'WebhookEndpoint' });

export const templateSchema = z
  .strictObject({
    id: text,
    name: text,
    channel,
    locale: text,
    version: count,
    ...content.shape,
    createdAt: time,
  })
  .meta({ id: 'Template' });

const builtInTemplate = z
  .strictObject({ name: text, ...content.shape, locale: text, origin: z.literal('built-in') })
  .meta({ id: 'BuiltInTemplate' });

export const renderedSchema = z
  .strictObject({
    subject: text,
    text,
    html: text.exactOptional(),
    variables: z.array(text),
  })
  .meta({ id: 'RenderedTemplate' });

export const suppressionSchema = z
  .strictObject({ id: text, channel, address: text, reason: text, createdAt: time })
  .meta({ id: 'Suppression' });

export const removedSchema = z
  .strictObject({ removed: count, isComplete: z.boolean() })
  .meta({ id: 'RemovedSuppressions' });

const ruled = z.enum(RULED_EVENTS);

export const rulesSchema = z
  .strictObject({
    items: z.array(z.strictObject({ event: text, channels: z.array(channel), updatedAt: time })),
    builtIn: z.array(z.strictObject({ event: ruled, category: text, channels: z.array(channel) })),
  })
  .meta({ id: 'NotificationRules' });

export const ruleSchema = z
  .strictObject({ event: ruled, channels: z.array(channel).nullable() })
  .meta({ id: 'NotificationRule' });

export const deliveryPage = pageOf(deliveryListItem, 'DeliveryPage');
export const webhookEndpointPage = pageOf(webhookEndpointSchema, 'WebhookEndpointPage');
export const templatePage = z.union([
  pageOf(templateSchema, 'TemplatePage'),
  pageOf(builtInTemplate, 'BuiltInTemplatePage'),
]);
export const suppressionPage = pageOf(suppressionSchema, 'SuppressionPage');
