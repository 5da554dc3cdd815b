import { expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import { createDeliveryStore } from '../../../core/notifications/delivery/delivery-store.ts';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import { createFactsStore } from '../../../core/notifications/routing/facts-store.ts';
import { createPlans } from '../../../core/notifications/routing/plans.ts';
import { POLICIES, fixedPolicies } from '../../../core/notifications/policies.ts';
import { createRouter } from '../../../core/notifications/routing/routing.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { TENANT, accept, openWorld, submission } from '../../support/platform.ts';

const COUNT = 3 * LIMITS.routedRequestsMax + 1;
const LARGE = 'x'.repeat(50_000);

it('a row of large messages is made into deliveries a few at a time, each message once', async () => {
  const { node } = await openWorld();
  const { platform, queues, databaseTime } = node;
  const { db } = platform.mongo;
  const content = { text: LARGE };
  const send = { channels: ['email'], email: 'ann@example.com', content };
  const [one] = await accept(node, [submission('notification.send', send)]);
  if (one === undefined) throw new Error('nothing was accepted');
  const operations = Array.from({ length: COUNT }, (): OperationDoc => {
    const _id = newOperationId();
    return { ...one, _id, idempotencyKey: _id };
  });
  await collection<OperationDoc>(db, 'operations').insertMany([...operations]);
  const facts = createFactsStore(db);
  const sizes: number[] = [];
  const router = createRouter({
    facts: {
      ...facts,
      requests: (ids) => {
        sizes.push(ids.length);
        return facts.requests(ids);
      },
    },
    plans: createPlans({
      endpointsOf: async () => [],
      rulesOf: async () => [],
      canSend: () => true,
    }),
    deliveries: createDeliveryStore(db),
    publisher: queues.publisher,
    databaseTime,
    policies: fixedPolicies(POLICIES),
    canSend: () => true,
    digestWindowMs: LIMITS.digestWindowMs,
    ...{ failpoint: platform.failpoint, logger: platform.logger, metrics: platform.metrics },
  });
  const events = operations.map(({ _id }) => ({
    ...{ id: `${_id}.e0`, name: 'notification.requested', operationId: _id },
  }));
  const at = new Date();
  const row = { _id: 'obx_large_0', tenantId: TENANT, events, nextCheckAt: at, createdAt: at };
  await router.route(row);
  const made = await collection<DeliveryDoc>(db, 'deliveries').find().toArray();
  expect(new Set(made.map(({ operationId }) => operationId)).size).toBe(COUNT);
  expect(made).toHaveLength(COUNT);
  expect(Math.max(...sizes)).toBe(LIMITS.routedRequestsMax);
});
