import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { createDeliveryAdmin } from '../../../core/notifications/delivery/delivery-admin.ts';
import { createDeliveryReads } from '../../../core/notifications/delivery/delivery-reads-store.ts';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import { fixedPolicies } from '../../../core/notifications/policies.ts';
import { createRepeatStore } from '../../../core/notifications/delivery/repeat-store.ts';
import type { WebhookEndpointDoc } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { hastyPolicies } from '../../support/hasty-policies.ts';
import {
  EUR,
  type Notifying,
  PAYMENT,
  TENANT_ID,
  finished,
  openNotifying,
  seedPeople,
} from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';

function adminOf({ node }: Notifying) {
  const { db } = node.platform.mongo;
  const deliveries = createDeliveryReads(db, {
    tenantId: TENANT_ID,
    policies: fixedPolicies(hastyPolicies()),
  });
  return createDeliveryAdmin({
    deliveries,
    publisher: node.queues.publisher,
    repeats: createRepeatStore(db, TENANT_ID),
    databaseTime: node.databaseTime,
    logger: node.platform.logger,
  });
}

const told = (deliveries: readonly DeliveryDoc[]) =>
  deliveries
    .map(({ channel, userId = '', status, reason }) =>
      [channel, userId, status, reason?.code ?? ''].join(' ').trim(),
    )
    .toSorted();

describe('what happens while an endpoint is disabled', () => {
  it('stands in the log as skipped with the reason, and arrives when it is replayed', async () => {
    const notifying = await openNotifying();
    const { node, endpoint, run, standIns } = notifying;
    const reason = 'It answered 410 Gone';
    const disabled = { events: ['user.*'], status: 'disabled', disabledReason: reason } as const;
    await endpoint('shop', disabled);
    await run(['user.create', { userId: 'ann', wallets: [EUR] }]);
    const [missed] = await finished(notifying, 1);
    expect(missed).toMatchObject({
      channel: 'webhook',
      endpointId: 'whk_shop',
      status: 'skipped',
      reason: { code: 'endpoint_disabled', detail: reason },
    });
    expect(standIns.receiver.received('webhooks')).toEqual([]);
    await collection<WebhookEndpointDoc>(node.platform.mongo.db, 'webhook_endpoints').updateOne(
      { _id: 'whk_shop' },
      { $set: { status: 'enabled' }, $unset: { disabledReason: '' } },
    );
    const filter = { status: 'skipped', endpointId: 'whk_shop' } as const;
    const { result } = await adminOf(notifying).replay(filter, { dryRun: false });
    expect(result).toMatchObject({ replayed: 1 });
    await until(() => standIns.receiver.received('webhooks').length === 1, 'it arrives');
    expect(standIns.receiver.received('webhooks')[0]).toMatchObject({
      verdict: 'verified',
      content: { type: 'user.created', data: { userId: 'ann' } },
    });
  });
});

describe('a mail that a person has sent again', () => {
  it('has a Message-ID of its own, since mailboxes drop what they know', async () => {
    const notifying = await openNotifying();
    const { standIns, run } = notifying;
    await seedPeople(notifying);
    await run([...PAYMENT]);
    const [mail] = await finished(notifying, 2);
    await adminOf(notifying).resend(mail?._id ?? '');
    await until(() => standIns.mail.mails().length === 3, 'the mail arrives again');
    const ids = standIns.mail.mails().map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(3);
  });
});

describe('a user whom a message cannot reach', () => {
  it('for want of an address: the log says so, and a replay finds the one of today', async () => {
    const notifying = await openNotifying();
    const { run, standIns } = notifying;
    await run(
      ['user.create', { userId: 'ann', wallets: [EUR] }],
      ['user.create', { userId: 'bob', wallets: [EUR], contacts: { email: 'bob@example.test' } }],
      ['wallet.credit', { userId: 'ann', ...EUR, amount: 10_000 }],
      [...PAYMENT],
    );
    expect(told(await finished(notifying, 2))).toEqual([
      'email ann skipped no_address',
      'email bob sent',
    ]);
    await run(['user.update', { userId: 'ann', contacts: { email: 'ann@example.test' } }]);
    const filter = { status: 'skipped', userId: 'ann' } as const;
    await adminOf(notifying).replay(filter, { dryRun: false });
    expect(told(await finished(notifying, 2))).toEqual(['email ann sent', 'email bob sent']);
    expect(standIns.mail.mails().map(({ to }) => to.join())).toContain('ann@example.test');
  });

  it('for she does not want it: the log says so, and what nobody meant to send is not in it', async () => {
    const notifying = await openNotifying();
    const { run } = notifying;
    await seedPeople(notifying);
    await run(['user.update', { userId: 'ann', notifications: { email: false } }]);
    await run([...PAYMENT]);
    expect(told(await finished(notifying, 2))).toEqual([
      'email ann skipped opted_out', // no rule speaks of a text message
      'email bob sent',
    ]);
  });
});
