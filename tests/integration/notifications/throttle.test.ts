import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { WebhookEndpointDoc } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { startHookServer } from '../../support/hook-server.ts';
import { type Notifying, PAID, openNotifying, seedPeople } from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';
import { allOf } from '../../../core/kernel/every.ts';

const THROTTLED = { code: 'throttled' };

/** Until everything of an endpoint has been looked at and is put off. */
async function putOff({ deliveries }: Notifying, endpointId: string, count: number) {
  await until(async () => {
    const waiting = await deliveries({ endpointId, status: 'pending' });
    return waiting.filter(({ deferral }) => deferral?.code === 'throttled').length === count;
  }, `${count} deliveries of ${endpointId} are put off`);
  return deliveries({ endpointId });
}

async function endpointsOf({ node }: Notifying): Promise<readonly WebhookEndpointDoc[]> {
  return collection<WebhookEndpointDoc>(node.platform.mongo.db, 'webhook_endpoints')
    .find()
    .toArray();
}

describe('an endpoint that asks to be left alone for half a minute', () => {
  it.each([429, 503])(
    'by %i: other events do not call it, and its neighbours go on',
    async (status) => {
      const hooks = await startHookServer((path) =>
        path === '/busy' ? { status, headers: { 'retry-after': '30' } } : { status: 204 },
      );
      const notifying = await openNotifying();
      const { endpoint, happen, deliveries } = notifying;
      await endpoint('busy', { url: `${hooks.url}/busy` });
      await endpoint('well', { url: `${hooks.url}/well` });
      await happen(PAID);
      await until(() => hooks.calls('/busy').length === 1, 'it is called');
      await until(async () => {
        const [first] = await deliveries({ endpointId: 'whk_busy' });
        return first?.attempts.length === 1;
      }, 'its answer is journaled');
      await happen(...Array.from({ length: 20 }, () => PAID));
      await until(() => hooks.calls('/well').length === 21, 'the neighbour has everything');
      await until(async () => {
        const all = await deliveries({ endpointId: 'whk_busy', status: 'pending' });
        return all.length === 21 && allOf(all, ({ notBefore }) => notBefore !== undefined);
      }, 'the others are put off');
      const others = (await deliveries({ endpointId: 'whk_busy' })).filter(
        ({ attempts }) => attempts.length === 0,
      );
      expect(others).toHaveLength(20);
      expect(others.map(({ deferral }) => deferral)).toMatchObject(others.map(() => THROTTLED));
      expect(hooks.calls('/busy')).toHaveLength(1);
    },
  );
});

describe('an endpoint that only ever says that it is too much', () => {
  it('counts as failing, and is not asked again at once', async () => {
    const hooks = await startHookServer(() => ({ status: 429, headers: { 'retry-after': '0' } }));
    const notifying = await openNotifying();
    await notifying.endpoint('busy', { url: `${hooks.url}/busy` });
    await notifying.happen(PAID);
    const [delivery] = await putOff(notifying, 'whk_busy', 1);
    expect(delivery).toMatchObject({ attemptsUsed: 0, throttles: 1 });
    const waitsMs = (delivery?.notBefore?.getTime() ?? 0) - Date.now();
    expect(waitsMs).toBeGreaterThan(20_000);
    await until(
      async () => (await endpointsOf(notifying))[0]?.failingSince !== undefined,
      'it counts as failing',
    );
  });
});

describe('a mail server that greylists', () => {
  it('is asked later and later, and one mailbox holds up no other', async () => {
    const notifying = await openNotifying();
    const { standIns, happen, deliveries } = notifying;
    await seedPeople(notifying);
    standIns.mail.inject({ on: 'rcpt', reply: '450 4.7.1 Greylisted' });
    await happen(PAID);
    await until(() => standIns.mail.mails().length === 1, 'the other mail arrives');
    await until(async () => {
      const [waiting] = await deliveries({ channel: 'email', status: 'pending' });
      return waiting?.deferral?.code === 'throttled';
    }, 'the mail is put off');
    const [waiting] = await deliveries({ channel: 'email', status: 'pending' });
    expect(waiting).toMatchObject({ throttles: 1, attemptsUsed: 0 });
    expect((waiting?.notBefore?.getTime() ?? 0) - Date.now()).toBeGreaterThan(20_000);
  });
});
