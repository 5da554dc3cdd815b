import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import {
  type WebhookEndpointDoc,
  newEndpointSecret,
} from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { type Notifying, PAID, finished, openNotifying } from '../../support/notifying.ts';
import { hastyPolicies } from '../../support/hasty-policies.ts';
import { until } from '../../support/wait.ts';
import { allOf } from '../../../core/kernel/every.ts';

const ONLY_TRANSFERS = { events: ['transfer.*'] };
const times = (count: number) => Array.from({ length: count }, () => PAID);

async function endpointOf({ node }: Notifying, id: string) {
  const endpoints = node.platform.mongo.db.collection<WebhookEndpointDoc>('webhook_endpoints');
  return endpoints.findOne({ _id: id as WebhookEndpointDoc['_id'] });
}

function verdictsOf(deliveries: readonly DeliveryDoc[]): readonly string[] {
  return deliveries.map(({ status, attempts, reason }) =>
    [status, attempts.map(({ outcome }) => outcome).join('+'), reason?.code]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
  );
}

describe('an endpoint that was just created', () => {
  it('gets what happens next, however lately its tenant’s events were dealt with', async () => {
    const { node, endpoint, happen, deliveries } = await openNotifying();
    const rows = () => node.platform.mongo.db.collection('outbox').countDocuments();
    for (const name of ['first', 'second']) {
      await happen(PAID);
      await until(async () => (await rows()) === 0, 'the row is dealt with');
      await endpoint(name);
    }
    await happen(PAID);
    await until(async () => (await rows()) === 0, 'the row is dealt with');
    expect(await deliveries({ endpointId: 'whk_first' })).toHaveLength(2);
    expect(await deliveries({ endpointId: 'whk_second' })).toHaveLength(1);
  });
});

describe('an endpoint that is down', () => {
  it('opens its breaker within 10 calls, while another one gets everything', async () => {
    const notifying = await openNotifying();
    const { endpoint, happen, deliveries, standIns, node } = notifying;
    await endpoint('down', { url: 'http://127.0.0.2:9/webhooks/down' });
    await endpoint('well');
    await happen(...times(40));
    await until(
      async () => (await deliveries({ endpointId: 'whk_well', status: 'sent' })).length === 40,
      'the other endpoint has everything',
    );
    await until(async () => {
      const waiting = await deliveries({ endpointId: 'whk_down', status: 'pending' });
      return waiting.length === 40 && allOf(waiting, ({ notBefore }) => notBefore !== undefined);
    }, 'all others are put off');
    const down = await deliveries({ endpointId: 'whk_down' });
    expect(down.flatMap(({ attempts }) => attempts)).toHaveLength(10);
    const kept = down.filter(({ deferral }) => deferral?.code === 'breaker_open');
    expect(kept.length).toBeGreaterThanOrEqual(30);
    expect(
      allOf(
        kept.filter(({ attempts }) => attempts.length === 0),
        isUntouched,
      ),
    ).toBe(true);
    expect(standIns.receiver.received('webhooks')).toHaveLength(40);
    const metrics = await node.platform.metrics.registry.metrics();
    expect(metrics).toContain('sluice_breakers_open{channel="webhook",provider="webhook"} 1');
  });

  it('is disabled when it has only failed for too long, and the others are told', async () => {
    const notifying = await openNotifying();
    const { endpoint, happen, standIns } = notifying;
    const failing = {
      failingSince: new Date(Date.now() - 121 * 3_600_000),
      failedAt: new Date(Date.now() - 3_600_000),
    };
    await endpoint('down', { url: 'http://127.0.0.2:9/webhooks/down', ...failing });
    await endpoint('watch', { events: ['webhook-endpoint.*'] });
    await happen(PAID);
    await until(
      async () => (await endpointOf(notifying, 'whk_down'))?.status === 'disabled',
      'it is disabled',
    );
    const outbox = collection<{ _id: string; tenantId: string }>(
      notifying.node.platform.mongo.db,
      'outbox',
    );
    const rows = await outbox.find().toArray();
    expect(rows).toHaveLength(1);
    await notifying.node.queues.publisher.publishEvents(rows); // as recovery does
    await until(() => standIns.receiver.received('webhooks').length === 1, 'the notice arrives');
    expect(standIns.receiver.received('webhooks')[0]?.content).toMatchObject({
      type: 'webhook-endpoint.disabled',
      data: { endpointId: 'whk_down', reason: 'Every attempt has failed for 120 hours' },
    });
  });

  it('and back again is healthy with its first success', async () => {
    const notifying = await openNotifying();
    await notifying.endpoint('shop', { failingSince: new Date(Date.now() - 3_600_000) });
    await notifying.happen(PAID);
    await finished(notifying, 1);
    await until(
      async () => (await endpointOf(notifying, 'whk_shop'))?.failingSince === undefined,
      'it counts as healthy',
    );
  });
});

function isUntouched({ attemptsUsed }: DeliveryDoc): boolean {
  return attemptsUsed === 0;
}

describe('an endpoint', () => {
  it('that answers 410 is disabled at once, and what waits for it is skipped', async () => {
    const notifying = await openNotifying();
    const { endpoint, happen, standIns } = notifying;
    await endpoint('shop', ONLY_TRANSFERS);
    standIns.receiver.inject({ on: 'webhooks', kind: 'status', status: 410 });
    await happen(PAID);
    expect(verdictsOf(await finished(notifying, 1))).toEqual(['failed permanent http_410']);
    await until(
      async () => (await endpointOf(notifying, 'whk_shop'))?.status === 'disabled',
      'it is disabled',
    );
    expect((await endpointOf(notifying, 'whk_shop'))?.disabledReason).toBe('It answered 410 Gone');
  });

  it('that says when to come again is asked no sooner, and loses no attempt', async () => {
    const notifying = await openNotifying();
    const { endpoint, happen, standIns } = notifying;
    await endpoint('shop');
    standIns.receiver.inject({ on: 'webhooks', kind: 'throttle', retryAfter: '2' });
    await happen(PAID);
    const [delivery] = await finished(notifying, 1);
    expect(verdictsOf(delivery === undefined ? [] : [delivery])).toEqual(['sent throttled+sent']);
    expect(delivery).toMatchObject({ attemptsUsed: 1, deferral: { code: 'throttled', times: 1 } });
    const [first, second] = (delivery?.attempts ?? []).map(({ at }) => at.getTime());
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1_900);
  });

  it('that fails is tried as often as the policy says, under one id', async () => {
    const notifying = await openNotifying();
    const { endpoint, happen, standIns } = notifying;
    await endpoint('shop');
    standIns.receiver.inject({ on: 'webhooks', kind: 'status', status: 500, times: 20 });
    await happen(PAID);
    const [delivery] = await finished(notifying, 1);
    expect(delivery?.attempts).toHaveLength(8);
    expect(delivery?.status).toBe('failed');
    const ids = standIns.receiver.received('webhooks').map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids)).toEqual(new Set([delivery?._id]));
  });

  it('gets both signatures while a secret is being changed', async () => {
    const notifying = await openNotifying();
    const { endpoint, happen, standIns } = notifying;
    const now = Date.now();
    const [fresh, old, older] = [newEndpointSecret(), newEndpointSecret(), newEndpointSecret()];
    await endpoint('shop', {
      secrets: [
        { secret: fresh, createdAt: new Date(now) },
        { secret: old, createdAt: new Date(now - 9e6), expiresAt: new Date(now + 60_000) },
        { secret: older, createdAt: new Date(now - 9e7), expiresAt: new Date(now - 1_000) },
      ],
    });
    for (const [secret, verdict] of [
      [fresh, 'verified'],
      [old, 'verified'],
      [older, 'bad signature'],
    ] as const) {
      standIns.receiver.trust('shop', [secret]);
      const before = standIns.receiver.received('webhooks').length;
      await happen(PAID);
      await until(() => standIns.receiver.received('webhooks').length > before, 'it arrives');
      expect(standIns.receiver.received('webhooks').at(-1)).toMatchObject({ verdict });
    }
  });

  it('is called no more often at once than the policy allows', async () => {
    const notifying = await openNotifying({ policies: hastyPolicies({ inFlightMax: 3 }) });
    const { endpoint, happen, standIns, deliveries } = notifying;
    await endpoint('slow');
    standIns.receiver.inject({ on: 'webhooks', kind: 'delay', delayMs: 300, times: 12 });
    await happen(...times(12));
    await until(async () => (await deliveries({ status: 'sent' })).length === 12, 'all are sent');
    // Each call lasts as long as the delay: the third after one comes when that one is over.
    const atMs = standIns.receiver.received('webhooks').map(({ at }) => Date.parse(at));
    const gaps = atMs.slice(3).map((ms, index) => ms - (atMs[index] ?? ms));
    expect(gaps).toHaveLength(9);
    expect(Math.min(...gaps)).toBeGreaterThan(250);
  });
});
