import { LIMITS } from '../../../config/limits.ts';
import type { DatabaseTime } from '../../infra/database-clock.ts';
import { canonicalHash } from '../../kernel/canonical.ts';
import { AppError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type DeliveryDoc, jobOfDelivery } from '../delivery/delivery.ts';
import type { DeliveryReads } from '../delivery/delivery-reads-store.ts';
import { webhookDelivery } from '../routing/drafts.ts';
import { TEST_EVENT } from '../../events/catalog.ts';
import type { View } from '../../service-config/live-settings.ts';
import type { Policies } from '../policies.ts';
import type { DeliveryPublisher } from '../delivery/publisher.ts';
import type { RepeatStore } from '../delivery/repeat-store.ts';
import {
  type WebhookEndpointDoc,
  endpointIdOf,
  newEndpointSecret,
  rotatedSecrets,
} from './webhook-endpoint.ts';
import type { EndpointStore } from './webhook-endpoint-store.ts';

export interface EndpointInput {
  readonly url: string;
  readonly events: readonly string[];
  readonly description?: string;
}

export interface EndpointChanges extends Partial<Omit<EndpointInput, 'description'>> {
  /** Null removes it. */
  readonly description?: string | null;
  readonly status?: WebhookEndpointDoc['status'];
}

/** An endpoint with the secret that is shown this once; absent on a repeated request. */
export interface WithSecret {
  readonly endpoint: WebhookEndpointDoc;
  readonly secret?: string;
}

/** Setting up one tenant's webhook endpoints. */
export interface EndpointAdmin {
  /**
   * @throws AppError `invalid_request` for a URL that we do not call, `idempotency_conflict`,
   *   `limit_reached`.
   */
  create(input: EndpointInput, idempotencyKey: string): Promise<WithSecret>;
  /** @throws AppError `not_found`, or `invalid_request` for the URL. */
  change(id: string, changes: EndpointChanges): Promise<WebhookEndpointDoc>;
  /** @throws AppError `not_found`, or `limit_reached` when too many old ones still sign. */
  rotate(id: string, idempotencyKey: string): Promise<WithSecret>;
  /**
   * Once under a key. @throws AppError `not_found`, `illegal_state` when it is disabled, or
   * `idempotency_conflict`.
   */
  test(id: string, key?: string): Promise<DeliveryDoc>;
}

interface AdminDeps {
  readonly tenantId: string;
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryReads;
  readonly publisher: DeliveryPublisher;
  readonly repeats: RepeatStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  /** Why a URL is refused; undefined: it may be called. */
  readonly refusalOf: (url: string) => Promise<string | undefined>;
  readonly policies: View<Policies>;
  /** For so long a secret that has been replaced signs as well. */
  readonly rotationMs: () => number;
  readonly logger: Logger;
}

const ROTATE_TRIES = 3;

export function createEndpointAdmin(deps: AdminDeps): EndpointAdmin {
  const { tenantId, endpoints, deliveries, publisher, repeats, databaseTime, logger } = deps;

  const found = async (id: string): Promise<WebhookEndpointDoc> => {
    const endpoint = await endpoints.find(id);
    if (endpoint !== undefined) return endpoint;
    throw new AppError('not_found', 'There is no such webhook endpoint');
  };
  const checkUrl = async (url: string): Promise<void> => {
    const detail = await deps.refusalOf(url);
    if (detail === undefined) return;
    const errors = [{ pointer: '/url', detail }];
    throw new AppError('invalid_request', `The URL cannot be used: ${detail}`, { errors });
  };

  /**
   * Counting first and inserting then would let any number pass that come at once: each takes a
   * slot instead, and there are only so many. Undefined: there is one of that id.
   */
  const insertWithin = async (
    endpoint: WebhookEndpointDoc,
  ): Promise<WebhookEndpointDoc | undefined> => {
    const max = LIMITS.webhookEndpointsMax;
    for (let tries = 0; tries <= max; tries += 1) {
      const slot = await endpoints.freeSlot();
      if (slot === undefined) break;
      const placed = { ...endpoint, slot };
      const outcome = await endpoints.insert(placed);
      if (outcome !== 'slot-taken') return outcome === 'inserted' ? placed : undefined;
    }
    throw new AppError('limit_reached', `A tenant may have ${max} webhook endpoints`);
  };

  return Object.freeze({
    create: async (input: EndpointInput, idempotencyKey: string) => {
      const _id = endpointIdOf(tenantId, idempotencyKey);
      const { url, events, description = '' } = input;
      const requestHash = canonicalHash({ url, events, description });
      const stored = await endpoints.find(_id);
      if (stored !== undefined) return { endpoint: sameRequest(stored, requestHash) };
      await checkUrl(url);
      const { now } = await databaseTime();
      const secret = newEndpointSecret();
      const secrets = [{ secret, createdAt: now }];
      const times = { createdAt: now, updatedAt: now };
      const shared = { _id, tenantId, ...input, status: 'enabled', requestHash } as const;
      const inserted = await insertWithin({ ...shared, secrets, ...times });
      if (inserted !== undefined) return { endpoint: inserted, secret };
      return { endpoint: sameRequest(await found(_id), requestHash) };
    },
    change: async (id: string, changes: EndpointChanges) => {
      const { url } = await found(id);
      if (changes.url !== undefined) await checkUrl(changes.url);
      const isMoved = changes.url !== undefined && changes.url !== url;
      return (await endpoints.change(id, changes, isMoved)) ?? found(id);
    },
    rotate: async (id: string, rotationKey: string) => {
      for (let tries = 0; tries < ROTATE_TRIES; tries += 1) {
        const endpoint = await found(id);
        const { rotationKeys = [] } = endpoint;
        if (rotationKeys.includes(rotationKey)) return { endpoint };
        const { now } = await databaseTime();
        const secret = newEndpointSecret();
        const secrets = rotatedSecrets(endpoint, { secret, now, rotationMs: deps.rotationMs() });
        if (secrets.length > LIMITS.webhookSecretsMax) {
          throw tooManySecrets(deps.rotationMs());
        }
        const keys = [rotationKey, ...rotationKeys].slice(0, LIMITS.webhookRotationKeysMax);
        const rotated = await endpoints.rotate(endpoint, { secrets, rotationKeys: keys });
        if (rotated !== undefined) return { endpoint: rotated, secret };
      }
      throw new AppError('illegal_state', 'The endpoint is being changed by somebody else');
    },
    test: async (id: string, key?: string) => {
      const endpoint = await found(id);
      if (endpoint.status === 'disabled') {
        throw new AppError('illegal_state', 'The endpoint is disabled');
      }
      const { now } = await databaseTime();
      const seed = newId('evt');
      const asked =
        key === undefined
          ? undefined
          : await repeats.open({ kind: 'test', key, request: id, seed, now });
      const event = { id: asked?.seed ?? seed, name: TEST_EVENT };
      const subject = { data: { endpointId: id, message: 'It works' } };
      const context = { tenantId, event, at: now, now, policies: deps.policies.of(tenantId) };
      const delivery = webhookDelivery(endpoint, subject, context);
      await deliveries.insert(delivery);
      try {
        await publisher.publishDeliveries([{ ...jobOfDelivery(delivery), isUrgent: true }]);
      } catch (err) {
        logger.warn({ err, deliveryId: delivery._id }, 'deliveries.enqueue.failed'); // R11
      }
      return (await deliveries.find(delivery._id)) ?? delivery;
    },
  } satisfies EndpointAdmin);
}

function tooManySecrets(rotationMs: number): AppError {
  const max = LIMITS.webhookSecretsMax;
  const hours = rotationMs / 3_600_000;
  const detail = `At most ${max} secrets sign at a time, each for ${hours} hours after the next one`;
  return new AppError('limit_reached', detail);
}

function sameRequest(endpoint: WebhookEndpointDoc, requestHash: string): WebhookEndpointDoc {
  if (endpoint.requestHash === requestHash) return endpoint;
  const detail = 'The key made another endpoint; use a key of its own for each';
  throw new AppError('idempotency_conflict', detail);
}
