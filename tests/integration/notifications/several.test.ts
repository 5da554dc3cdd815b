import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import {
  type Attempt,
  type DeliveryDoc,
  jobOfDelivery,
} from '../../../core/notifications/delivery/delivery.ts';
import type { WebhookEndpointDoc } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { startHookServer } from '../../support/hook-server.ts';
import { type Notifying, PAID, finished, openNotifying } from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';

const queueOf = ({ node }: Notifying) => {
  const queue = node.queues.byName.get('notify-webhook');
  if (queue === undefined) throw new Error('there is no queue of webhooks');
  return queue;
};
const docsOf = ({ node }: Notifying) =>
  collection<DeliveryDoc>(node.platform.mongo.db, 'deliveries');
const paid = (count: number) => Array.from({ length: count }, () => PAID);

/** Routed, and left in the queue. */
async function routed(notifying: Notifying, count: number): Promise<void> {
  await queueOf(notifying).pause();
  await notifying.happen(...paid(count));
  await until(
    async () =>
      (await notifying.node.platform.mongo.db.collection('outbox').countDocuments()) === 0,
    'the events are routed',
  );
}

describe('jobs of several deliveries', () => {
  it('a row of a hundred events is two jobs, and all of them arrive once', async () => {
    const notifying = await openNotifying();
    await notifying.endpoint('shop');
    await routed(notifying, 100);
    const queue = queueOf(notifying);
    expect(await queue.getJobCounts('waiting')).toMatchObject({ waiting: 2 });
    await queue.resume();
    const docs = await finished(notifying, 100);
    expect(docs.filter(({ status }) => status === 'sent')).toHaveLength(100);
    const calls = notifying.standIns.receiver.received('webhooks');
    expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(100);
    expect(calls).toHaveLength(100);
  });

  it('a target that does not answer holds up its own, and neither its job nor the next', async () => {
    const hooks = await startHookServer((path) => (path === '/hole' ? undefined : { status: 204 }));
    const notifying = await openNotifying();
    await notifying.endpoint('hole', { url: `${hooks.url}/hole` });
    await notifying.endpoint('well', { url: hooks.url.replace('127.0.0.1', 'localhost') });
    await notifying.happen(...paid(20));
    await until(() => hooks.calls('/hole').length > 0, 'the one that does not answer is called');
    await notifying.happen(...paid(20));
    const sent = { endpointId: 'whk_well', status: 'sent' } as const;
    await until(
      async () => (await notifying.deliveries(sent)).length === 40,
      'the others are told',
    );
    expect(await notifying.deliveries({ endpointId: 'whk_hole', status: 'sent' })).toEqual([]);
  });

  it('one that cannot be made sense of does not hold up its neighbours', async () => {
    const notifying = await openNotifying();
    await notifying.endpoint('shop');
    await routed(notifying, 10);
    const docs = docsOf(notifying);
    const broken = await docs.findOneAndUpdate({}, { $unset: { event: '' } } as object);
    await queueOf(notifying).resume();
    await until(async () => (await docs.countDocuments({ status: 'sent' })) === 9, 'nine are sent');
    expect(await docs.findOne({ _id: broken?._id ?? 'dlv_' })).toMatchObject({ status: 'pending' });
  });

  it('a job of the form that stood for one is done', async () => {
    const notifying = await openNotifying();
    await notifying.endpoint('shop');
    await routed(notifying, 1);
    const queue = queueOf(notifying);
    const [delivery] = await notifying.deliveries();
    await queue.drain();
    const { _id: deliveryId = 'dlv_', tenantId, seq } = delivery ?? {};
    const data = { v: 1, deliveryId, tenantId, seq };
    await queue.add('webhook', data, { jobId: `${deliveryId}.old` });
    await queue.resume();
    expect(await finished(notifying, 1)).toMatchObject([{ status: 'sent' }]);
  });
});

describe('a delivery whose worker died', () => {
  /** As a worker leaves it that dies in the middle of a call. */
  async function left(notifying: Notifying, part: Partial<DeliveryDoc>): Promise<void> {
    await notifying.endpoint('shop');
    await routed(notifying, 1);
    const [delivery] = await notifying.deliveries();
    if (delivery === undefined) throw new Error('there is no delivery');
    const leaseUntil = new Date(Date.now() - 1_000);
    const set = { status: 'sending', owner: 'dead', leaseUntil, ...part } as const;
    await docsOf(notifying).updateOne({ _id: delivery._id }, { $set: set });
    await queueOf(notifying).resume();
    await notifying.node.queues.publisher.publishDeliveries([jobOfDelivery(delivery)]);
  }
  const INTERRUPTED: Attempt = {
    ...{ provider: '', outcome: 'interrupted', code: 'interrupted', detail: '-' },
    ...{ at: new Date(), ms: 0, worker: 'dead' },
  } as const;

  it('is not held responsible for what may have been its neighbour’s doing', async () => {
    const notifying = await openNotifying();
    await left(notifying, {});
    expect(await finished(notifying, 1)).toMatchObject([
      { status: 'sent', attemptsUsed: 1, attempts: [{ outcome: 'interrupted' }, {}] },
    ]);
  });

  it('again and again ends: it does not kill worker after worker', async () => {
    const notifying = await openNotifying();
    await left(notifying, { attempts: [INTERRUPTED], attemptsUsed: 7 });
    expect(await finished(notifying, 1)).toMatchObject([
      { status: 'failed', reason: { code: 'interrupted' }, attemptsUsed: 8 },
    ]);
    expect(notifying.standIns.receiver.received('webhooks')).toEqual([]);
  });
});

describe('what has changed while a delivery waited for its turn', () => {
  it('an endpoint that was disabled meanwhile is not called', async () => {
    const notifying = await openNotifying();
    const { receiver } = notifying.standIns;
    receiver.inject({ on: 'webhooks', kind: 'delay', delayMs: 1_300, times: 6 });
    await notifying.endpoint('slow');
    await notifying.happen(...paid(6));
    const calls = (): number => receiver.received('webhooks').length;
    await until(
      async () => (await docsOf(notifying).countDocuments({ status: 'sending' })) === 2,
      'it has as many calls as one that is unproven gets',
    );
    await collection<WebhookEndpointDoc>(
      notifying.node.platform.mongo.db,
      'webhook_endpoints',
    ).updateOne({ _id: 'whk_slow' }, { $set: { status: 'disabled' } });
    const docs = await finished(notifying, 6, 20_000);
    expect(docs.filter(({ status }) => status === 'skipped')).toHaveLength(4);
    expect(calls()).toBe(2);
  });

  it('a claim that may run out before its call comes back calls nobody', async () => {
    const notifying = await openNotifying({ isSilent: true });
    await notifying.endpoint('shop');
    notifying.notify(notifying.node, { leaseMs: 1 }); // over by the time that the claim is known
    await notifying.happen(PAID);
    const jobs = new Set<string>();
    await until(async () => {
      const [delivery] = await notifying.deliveries();
      jobs.add(delivery?.jobId ?? '');
      return jobs.size > 3;
    }, 'it is let go again and again');
    expect(notifying.standIns.receiver.received('webhooks')).toEqual([]);
  });
});
