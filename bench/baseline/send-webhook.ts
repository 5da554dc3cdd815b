import type { Db } from 'mongodb';
import { collection } from '../../core/infra/collections.ts';
import { newToken } from '../../core/kernel/ids.ts';
import type {
  Attempt,
  DeliveryDoc,
  DeliveryId,
} from '../../core/notifications/delivery/delivery.ts';
import { signatureHeader } from '../../core/notifications/providers/webhook-signature.ts';
import {
  type WebhookEndpointDoc,
  signingSecrets,
} from '../../core/notifications/webhooks/webhook-endpoint.ts';

interface WebhookDeps {
  readonly db: Db;
  readonly workerId: string;
}

/** Sends one webhook. @throws when it was not taken: the job comes again. */
export type SendWebhook = (deliveryId: string) => Promise<void>;

const LEASE_MS = 30_000;
const TIMEOUT_MS = 10_000;
const ENDPOINT_MS = 5_000;

/**
 * What one would write first, with care: claim the delivery, sign it, POST it with `fetch`, record
 * what came of it. Same document, same body, same signature as ours; the endpoint is kept for a few
 * seconds. No line for a host, no breaker, no look at the address that a name stands for.
 */
export function createSendWebhook({ db, workerId }: WebhookDeps): SendWebhook {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const endpointOf = createEndpoints(db);

  return async (deliveryId) => {
    const owner = newToken();
    const leaseUntil = new Date(Date.now() + LEASE_MS);
    const delivery = await deliveries.findOneAndUpdate(
      { _id: deliveryId as DeliveryId, status: 'pending' },
      { $set: { status: 'sending', owner, leaseUntil, nextCheckAt: leaseUntil } },
      { returnDocument: 'after' },
    );
    if (delivery === null) return;
    const endpoint = await endpointOf(delivery.endpointId ?? '');
    const startedMs = performance.now();
    const at = new Date();
    const status = await post(delivery, endpoint);
    const attempt: Attempt = {
      ...{ provider: 'webhook', outcome: status < 300 ? 'sent' : 'fault', status, at },
      ...{ ms: Math.round(performance.now() - startedMs), worker: workerId },
    };
    const mine = { _id: delivery._id, status: 'sending', owner } as const;
    const kept = { $push: { attempts: attempt }, $inc: { attemptsUsed: 1 } } as const;
    if (status >= 300) {
      const left = { owner: '', leaseUntil: '' } as const;
      await deliveries.updateOne(mine, { $set: { status: 'pending' }, $unset: left, ...kept });
      throw new Error(`The receiver answered ${String(status)}`);
    }
    await deliveries.updateOne(mine, {
      $set: { status: 'sent' },
      $unset: { owner: '', leaseUntil: '', nextCheckAt: '' },
      $currentDate: { updatedAt: true, completedAt: true },
      ...kept,
    });
  };
}

async function post(
  { _id: id, event, operationId, data }: DeliveryDoc,
  endpoint: WebhookEndpointDoc,
): Promise<number> {
  const now = new Date();
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const body = JSON.stringify({
    id: event.id,
    type: event.name,
    timestamp: event.at.toISOString(),
    ...(operationId !== undefined && { operationId }),
    data,
  });
  const secrets = signingSecrets(endpoint, now);
  const answer = await fetch(endpoint.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Usual/1.0',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatureHeader(secrets, { id, timestamp, body }),
    },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await answer.arrayBuffer();
  return answer.status;
}

function createEndpoints(db: Db): (id: string) => Promise<WebhookEndpointDoc> {
  const endpoints = collection<WebhookEndpointDoc>(db, 'webhook_endpoints');
  const kept = new Map<
    string,
    { readonly found: Promise<WebhookEndpointDoc>; readonly untilMs: number }
  >();
  const find = async (id: string): Promise<WebhookEndpointDoc> => {
    const endpoint = await endpoints.findOne({ _id: id as WebhookEndpointDoc['_id'] });
    if (endpoint === null) throw new Error(`There is no endpoint ${id}`);
    return endpoint;
  };
  return async (id) => {
    const known = kept.get(id);
    if (known !== undefined && known.untilMs > performance.now()) return known.found;
    const found = find(id);
    kept.set(id, { found, untilMs: performance.now() + ENDPOINT_MS });
    return found;
  };
}
