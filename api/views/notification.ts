import type { DeliveryDoc } from '../../core/notifications/delivery/delivery.ts';
import type { SuppressionDoc } from '../../core/notifications/suppressions/suppression.ts';
import type { TemplateDoc } from '../../core/notifications/templates/template-store.ts';
import type { WebhookEndpointDoc } from '../../core/notifications/webhooks/webhook-endpoint.ts';
import type {
  deliveryBriefSchema,
  deliveryListItem,
  deliverySchema,
  suppressionSchema,
  templateSchema,
  webhookEndpointSchema,
} from '../contract/notification.ts';
import type { View } from '../contract/parts.ts';

/** What became of a delivery, without its address: as timelines show it. */
export function deliveryBrief(delivery: DeliveryDoc): View<typeof deliveryBriefSchema> {
  const { _id, channel, status, event, userId, endpointId, deferral, reason } = delivery;
  const last = delivery.attempts.at(-1);
  return {
    id: _id,
    channel,
    status,
    event: { id: event.id, name: event.name, at: event.at.toISOString() },
    ...(userId !== undefined && { userId }),
    ...(endpointId !== undefined && { endpointId }),
    attemptCount: delivery.attempts.length,
    ...(last !== undefined && { lastAttemptAt: last.at.toISOString(), provider: last.provider }),
    ...(reason !== undefined && { reason }),
    ...(status === 'pending' && deferral !== undefined && { deferral: deferralView(deferral) }),
    createdAt: delivery.createdAt.toISOString(),
    ...(delivery.completedAt !== undefined && {
      completedAt: delivery.completedAt.toISOString(),
    }),
  };
}

function deferralView({ code, provider, at, until, times }: NonNullable<DeliveryDoc['deferral']>) {
  return {
    code,
    ...(provider !== undefined && { provider }),
    at: at.toISOString(),
    until: until.toISOString(),
    times,
  };
}

/** As in lists. */
export function deliveryListView(delivery: DeliveryDoc): View<typeof deliveryListItem> {
  const { operationId, address, template, category, notBefore, resends } = delivery;
  return {
    ...deliveryBrief(delivery),
    ...(operationId !== undefined && { operationId }),
    category,
    address,
    template,
    attemptsUsed: delivery.attemptsUsed,
    ...(delivery.deferral !== undefined && { deferral: deferralView(delivery.deferral) }),
    ...(notBefore !== undefined && { notBefore: notBefore.toISOString() }),
    ...(resends !== undefined && { resends }),
    expiresAt: delivery.expiresAt.toISOString(),
    links: { self: `/v1/deliveries/${delivery._id}` },
  };
}

/** With its journal and its data. */
export function deliveryView(delivery: DeliveryDoc): View<typeof deliverySchema> {
  const { locale, content, data, items, more } = delivery;
  return {
    ...deliveryListView(delivery),
    ...(locale !== undefined && { locale }),
    ...(content !== undefined && { content }),
    data,
    ...(items !== undefined && { items, itemsMore: more?.length ?? 0 }),
    attempts: delivery.attempts.map(({ at, ...attempt }) => ({
      at: at.toISOString(),
      ...attempt,
    })),
  };
}

/** Secrets are shown when they are made, and never again. */
export function endpointView(
  endpoint: WebhookEndpointDoc,
  secret?: string,
): View<typeof webhookEndpointSchema> {
  const { _id, url, events, description, status, disabledReason, failingSince } = endpoint;
  const old = endpoint.secrets.find(({ expiresAt }) => expiresAt !== undefined);
  return {
    id: _id,
    url,
    events,
    ...(description !== undefined && { description }),
    status,
    ...(disabledReason !== undefined && { disabledReason }),
    ...(failingSince !== undefined && { failingSince: failingSince.toISOString() }),
    ...(secret !== undefined && { secret }),
    ...(old?.expiresAt !== undefined && { oldSecretUntil: old.expiresAt.toISOString() }),
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
    links: { self: `/v1/webhook-endpoints/${_id}` },
  };
}

export function templateView(template: TemplateDoc): View<typeof templateSchema> {
  const { _id, name, channel, locale, version, subject, text, html, createdAt } = template;
  return {
    id: _id,
    name,
    channel,
    locale,
    version,
    ...(subject !== undefined && { subject }),
    text,
    ...(html !== undefined && { html }),
    createdAt: createdAt.toISOString(),
  };
}

export function suppressionView({
  _id,
  channel,
  address,
  reason,
  createdAt,
}: SuppressionDoc): View<typeof suppressionSchema> {
  return { id: _id, channel, address, reason, createdAt: createdAt.toISOString() };
}
