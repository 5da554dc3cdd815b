import { describe, expect, it } from 'vitest';
import { EUR, PAYMENT, finished, openNotifying, seedPeople } from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';
import { allOf } from '../../../core/kernel/every.ts';

describe('a settled transfer', () => {
  it('arrives as a signed webhook and as mails, with every attempt in the log', async () => {
    const notifying = await openNotifying();
    const { standIns, run, endpoint } = notifying;
    await endpoint('shop');
    await seedPeople(notifying);
    await run([...PAYMENT]);
    const deliveries = await finished(notifying, 3);
    expect(deliveries.map(({ channel, status }) => `${channel} ${status}`).sort()).toEqual([
      'email sent',
      'email sent',
      'webhook sent',
    ]);
    const webhooks = standIns.receiver.received('webhooks');
    expect(webhooks).toHaveLength(1);
    expect(webhooks[0]).toMatchObject({ verdict: 'verified', status: 204 });
    expect(webhooks[0]?.content).toMatchObject({
      type: 'transfer.settled',
      data: { fromUserId: 'ann', toUserId: 'bob', amount: '1250', currency: 'EUR' },
    });
    const delivery = deliveries.find(({ channel }) => channel === 'webhook');
    expect(webhooks[0]?.headers['webhook-id']).toBe(delivery?._id);
    expect(delivery?.attempts).toMatchObject([
      { outcome: 'sent', provider: 'webhook', status: 204 },
    ]);
    const mails = standIns.mail.mails().map(({ to, subject }) => `${to.join()} ${subject}`);
    expect(mails.sort()).toEqual([
      'ann@example.test You sent 12.50 EUR',
      'bob@example.test You received 12.50 EUR',
    ]);
    expect(standIns.mail.mails().find(({ to }) => to.includes('bob@example.test'))?.text).toContain(
      'ann sent you 12.50 EUR',
    );
  });

  it('that is refused tells nobody', async () => {
    const notifying = await openNotifying();
    const { run, endpoint, standIns } = notifying;
    await endpoint('shop', { events: ['transfer.*', 'operation.rejected'] });
    await seedPeople(notifying);
    const much = { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 10_001 };
    await run(['transfer', much]);
    await finished(notifying, 1);
    const types = standIns.receiver.received('webhooks').map(({ content }) => content);
    expect(types).toMatchObject([{ type: 'operation.rejected' }]);
  });

  it('is not stored twice when its row comes again', async () => {
    const notifying = await openNotifying({ isSilent: true });
    const { node, run, endpoint, notify } = notifying;
    await endpoint('shop');
    await seedPeople(notifying);
    await run([...PAYMENT]);
    const outbox = node.platform.mongo.db.collection('outbox');
    const rows = await outbox.find().toArray();
    notify(node);
    const first = await finished(notifying, 3);
    await until(async () => (await outbox.countDocuments()) === 0, 'the outbox is empty');
    await outbox.insertMany(rows);
    const ids = rows.map(({ _id, tenantId }) => ({ _id: String(_id), tenantId: String(tenantId) }));
    for (const [name, queue] of node.queues.byName) if (name === 'events') await queue.drain();
    for (const { _id } of ids) await node.queues.byName.get('events')?.remove(_id);
    await node.queues.publisher.publishEvents(ids);
    await until(async () => (await outbox.countDocuments()) === 0, 'the rows are consumed again');
    const second = await finished(notifying, 3);
    expect(second.map(({ _id }) => _id)).toEqual(first.map(({ _id }) => _id));
    expect(allOf(second, ({ attempts }) => attempts.length === 1)).toBe(true);
    expect(notifying.standIns.receiver.received('webhooks')).toHaveLength(1);
  });
});
