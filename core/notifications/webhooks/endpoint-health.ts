import { LIMITS } from '../../../config/limits.ts';
import { newId, newToken } from '../../kernel/ids.ts';
import type { OutboxRow } from '../../events/outbox.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventName } from '../../events/catalog.ts';
import type { SendOutcome } from '../ports.ts';
import { type WebhookEndpointDoc, healthOf } from './webhook-endpoint.ts';
import type { EndpointHealthStore } from './webhook-endpoint-store.ts';

const DISABLED = 'webhook-endpoint.disabled' satisfies EventName;

interface HealthDeps {
  readonly endpoints: EndpointHealthStore;
  readonly logger: Logger;
}

/**
 * What an attempt says about its endpoint: since when it fails, and when that is too long (or it
 * says itself that it is gone), the end of it, with a notice to the tenant's other endpoints.
 */
export async function noteHealth(
  { endpoints, logger }: HealthDeps,
  endpoint: WebhookEndpointDoc,
  { outcome, now }: { readonly outcome: SendOutcome; readonly now: Date },
): Promise<void> {
  // One that only ever says "later" takes nothing: no better than one that is down.
  const isGood = outcome.kind === 'sent';
  const isGone = outcome.kind === 'permanent' && outcome.isGone === true;
  const health = healthOf(endpoint, { isGood, isGone, now });
  switch (health) {
    case 'same':
      return;
    case 'healthy':
      return endpoints.markHealthy(endpoint);
    case 'failing':
      return endpoints.markFailing(endpoint);
    case 'gone':
    case 'worn-out': {
      const reason = REASONS[health];
      const notice = noticeOf(endpoint, { reason, now });
      if (!(await endpoints.disable(endpoint, reason, notice))) return;
      const { _id: endpointId, tenantId } = endpoint;
      logger.warn({ endpointId, tenantId, reason }, 'webhook-endpoint.disabled');
    }
  }
}

const REASONS = {
  gone: 'It answered 410 Gone',
  'worn-out': `Every attempt has failed for ${LIMITS.webhookFailingMsMax / 3_600_000} hours`,
} as const;

function noticeOf(
  { _id: endpointId, tenantId }: WebhookEndpointDoc,
  { reason, now }: { readonly reason: string; readonly now: Date },
): OutboxRow {
  // Without its URL, which often holds a secret and is none of the other endpoints' business.
  const event = { id: newId('evt'), name: DISABLED, data: { endpointId, reason } };
  return {
    _id: `obx_${newToken()}_0`,
    tenantId,
    events: [event],
    nextCheckAt: now, // nobody publishes it but recovery
    createdAt: now,
  };
}
