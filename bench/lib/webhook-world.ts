import { LIMITS } from '../../config/limits.ts';
import { collection } from '../../core/infra/collections.ts';
import { newOperationId, newToken } from '../../core/kernel/ids.ts';
import { type DeliveryDoc, jobOfDelivery } from '../../core/notifications/delivery/delivery.ts';
import { webhookDelivery } from '../../core/notifications/routing/drafts.ts';
import { POLICIES } from '../../core/notifications/policies.ts';
import {
  type WebhookEndpointDoc,
  newEndpointSecret,
} from '../../core/notifications/webhooks/webhook-endpoint.ts';
import type { OutboxEvent, OutboxRow } from '../../core/events/outbox.ts';
import { webhookJob } from '../baseline/queue.ts';
import type { Arena } from './arena.ts';

/** Webhook endpoints get it, and nobody else. */
const TOLD = 'hold.captured';

export interface EndpointSpec {
  readonly name: string;
  readonly tenantId: string;
  readonly url: string;
  /** By default every event of their tenant's. */
  readonly events?: readonly string[];
}

/** As the API stores them. */
export async function storeEndpoints(
  { db }: Arena,
  specs: readonly EndpointSpec[],
): Promise<readonly WebhookEndpointDoc[]> {
  const now = new Date();
  const endpoints = specs.map(({ name, tenantId, url, events = ['*'] }): WebhookEndpointDoc => {
    const secrets = [{ secret: newEndpointSecret(), createdAt: now }];
    const whose = {
      _id: endpointIdOf(name),
      tenantId,
      status: 'enabled',
      requestHash: '',
    } as const;
    return { ...whose, url, events, secrets, createdAt: now, updatedAt: now };
  });
  await collection<WebhookEndpointDoc>(db, 'webhook_endpoints').insertMany(endpoints);
  return endpoints;
}

function endpointIdOf(name: string): WebhookEndpointDoc['_id'] {
  return `whk_${name}`;
}

/** By the name of their receiver. */
export function secretsOf(
  endpoints: readonly WebhookEndpointDoc[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    endpoints.flatMap(({ _id, secrets: [first] }) =>
      first === undefined ? [] : [[_id.slice('whk_'.length), first.secret]],
    ),
  );
}

const EVENTS_PER_ROW = 100;

/** So many events of a tenant's, in rows as transactions leave them. */
export function rowsOf(tenantId: string, count: number): readonly OutboxRow[] {
  const now = new Date();
  const events = Array.from({ length: count }, (_, index): OutboxEvent => {
    const operationId = newOperationId();
    const data = { userId: `user-${String(index % 100)}`, amount: '1250', currency: 'EUR' };
    return { id: `${operationId}.e0`, operationId, name: TOLD, data };
  });
  const times = { nextCheckAt: new Date(now.getTime() + LIMITS.outboxStaleMs), createdAt: now };
  return Array.from({ length: Math.ceil(count / EVENTS_PER_ROW) }, (_, index) => ({
    _id: `obx_${newToken()}_0`,
    tenantId,
    events: events.slice(index * EVENTS_PER_ROW, (index + 1) * EVENTS_PER_ROW),
    ...times,
  }));
}

const CHUNK = 500;

/** Through the outbox, for the router to make deliveries of. */
export async function tellOurs(arena: Arena, rows: readonly OutboxRow[]): Promise<void> {
  for (const part of partsOf(rows, CHUNK)) {
    await collection<OutboxRow>(arena.db, 'outbox').insertMany([...part]);
    await arena.queues.publisher.publishEvents(part);
  }
}

/** The deliveries that our router would make, with a job of the baseline's each. */
export async function tellBaseline(
  arena: Arena,
  rows: readonly OutboxRow[],
  endpoints: readonly WebhookEndpointDoc[],
): Promise<void> {
  const now = new Date();
  const drafts = rows.flatMap(({ tenantId, events, createdAt: at }) =>
    events.flatMap((event) =>
      endpoints
        .filter((endpoint) => endpoint.tenantId === tenantId)
        .map((endpoint) => {
          const context = { tenantId, event, at, now, policies: POLICIES };
          return webhookDelivery(endpoint, { data: { ...event.data } }, context);
        }),
    ),
  );
  for (const part of partsOf(drafts, CHUNK)) {
    await collection<DeliveryDoc>(arena.db, 'deliveries').insertMany([...part]);
    await arena.baseline.addBulk(part.map(jobOfDelivery).map(webhookJob));
  }
}

function partsOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
