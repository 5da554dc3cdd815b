import { describe, expect, it } from 'vitest';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import type { EmailMessage, Provider, SendOutcome } from '../../../core/notifications/ports.ts';
import { suppressionIdOf } from '../../../core/notifications/suppressions/suppression.ts';
import { createSuppressionStore } from '../../../core/notifications/suppressions/suppression-store.ts';
import { openSagas } from '../../support/notifying-sagas.ts';
import {
  EUR,
  PAID,
  TENANT_ID,
  finished,
  openNotifying,
  seedPeople,
} from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';
import { allOf } from '../../../core/kernel/every.ts';

function told(deliveries: readonly DeliveryDoc[]): readonly string[] {
  return deliveries
    .map(({ channel, userId = '', status, reason }) =>
      [channel, userId, status, reason?.code].filter((part) => part !== undefined).join(' '),
    )
    .sort();
}

describe('a user', () => {
  it('who has opted out of a category, a channel or an event is not told', async () => {
    const notifying = await openNotifying();
    const { run, happen } = notifying;
    await seedPeople(notifying);
    await run(['user.update', { userId: 'ann', notifications: { payments: false } }]);
    await run(['user.update', { userId: 'bob', notifications: { 'payments.sms': true } }]);
    await run(['user.update', { userId: 'bob', contacts: { phone: '+4915112345679' } }]);
    await happen(PAID);
    expect(told(await finished(notifying, 3))).toEqual([
      'email ann skipped opted_out',
      'email bob sent',
      'sms bob sent',
    ]);
  });

  it('who opts out while a message waits does not get it', async () => {
    const notifying = await openNotifying();
    const { run, happen, standIns, deliveries } = notifying;
    await seedPeople(notifying);
    standIns.mail.inject({ on: 'mail', reply: '451 4.3.0 Later', times: 2 });
    await run(['user.update', { userId: 'ann', notifications: { 'payments.email': true } }]);
    await happen(PAID);
    await until(async () => (await deliveries()).length === 2, 'they are routed');
    expect(told(await finished(notifying, 2))).toEqual(['email ann sent', 'email bob sent']);
    const [ann] = await deliveries({ userId: 'ann' });
    await run(['user.update', { userId: 'ann', notifications: { payments: false } }]);
    await run(['user.update', { userId: 'ann', notifications: { 'payments.email': false } }]);
    await again(notifying, ann);
    expect(told(await finished(notifying, 2))).toContain('email ann skipped opted_out');
  });

  it('has no text messages in the quiet hours, but for what is urgent', async () => {
    const notifying = await openNotifying();
    const { run, happen, deliveries } = notifying;
    await seedPeople(notifying);
    const hour = new Date().getUTCHours();
    const clock = (at: number): string => `${String((at + 24) % 24).padStart(2, '0')}:00`;
    const quietHours = { from: clock(hour - 1), to: clock(hour + 2), zone: 'UTC' };
    const notifications = { 'payments.sms': true, 'payments.email': false };
    await run(['user.update', { userId: 'ann', quietHours, notifications }]);
    await happen(PAID, { name: 'user.blocked', data: { userId: 'ann' } });
    await until(async () => {
      const list = await deliveries({ channel: 'sms' });
      return (
        list.length === 2 &&
        allOf(list, ({ deferral, status }) => status === 'sent' || deferral !== undefined)
      );
    }, 'one is sent, the other put off');
    const waiting = await deliveries({ status: 'pending' });
    expect(waiting).toMatchObject([
      { channel: 'sms', attempts: [], deferral: { code: 'quiet_hours' } },
    ]);
    const waitsMs = (waiting[0]?.notBefore?.getTime() ?? 0) - Date.now();
    expect(waitsMs).toBeGreaterThan(3_600_000);
    expect(waitsMs).toBeLessThanOrEqual(2 * 3_600_000 + 60_000);
  });

  it('gets one digest of what is of little weight', { timeout: 60_000 }, async () => {
    const notifying = await openNotifying({ digestWindowMs: 10_000 });
    const { run, happen, standIns, deliveries } = notifying;
    await seedPeople(notifying);
    await run(['user.update', { userId: 'bob', displayName: 'Bob' }]);
    // At the beginning of a window, so that all of them fall into it.
    await until(() => Date.now() % 10_000 < 2_000, 'a window begins', 20_000);
    const bonus = (amount: string) => ({
      name: 'bonus.awarded',
      data: { userId: 'bob', ...EUR, amount },
    });
    await happen(bonus('100'), bonus('250'));
    // Rows are consumed side by side: the next one might be gathered first.
    const gathered = async () => (await deliveries()).flatMap(({ items = [] }) => items).length;
    await until(async () => (await gathered()) === 2, 'the first row is gathered');
    await happen(bonus('300'));
    const [digest, ...others] = await finished(notifying, 1, 30_000);
    expect(others).toEqual([]);
    expect(digest?.items).toHaveLength(3);
    expect(standIns.mail.mails()).toHaveLength(1);
    expect(standIns.mail.mails()[0]).toMatchObject({ subject: '3 news about your account' });
    expect(
      standIns.mail
        .mails()[0]
        ?.text.split('\n')
        .filter((line) => line.startsWith('-')),
    ).toEqual([
      '- You got a bonus of 1.00 EUR.',
      '- You got a bonus of 2.50 EUR.',
      '- You got a bonus of 3.00 EUR.',
    ]);
  });
});

async function again(
  { node }: Awaited<ReturnType<typeof openNotifying>>,
  delivery: DeliveryDoc | undefined,
): Promise<void> {
  if (delivery === undefined) throw new Error('there is no such delivery');
  const docs = node.platform.mongo.db.collection<DeliveryDoc>('deliveries');
  await docs.updateOne({ _id: delivery._id }, { $set: { status: 'pending', seq: 7 } });
  const { _id: deliveryId, tenantId, channel } = delivery;
  await node.queues.publisher.publishDeliveries([{ deliveryId, tenantId, channel, seq: 7 }]);
}

describe('an address', () => {
  it('on the suppression list gets nothing', async () => {
    const notifying = await openNotifying();
    const { happen, node } = notifying;
    await seedPeople(notifying);
    const address = 'Ann@Example.test';
    await createSuppressionStore(node.platform.mongo.db).add({
      _id: suppressionIdOf(TENANT_ID, 'email', address),
      ...{ tenantId: TENANT_ID, channel: 'email', address, reason: 'manual' },
      createdAt: new Date(),
    });
    await happen(PAID);
    expect(told(await finished(notifying, 2))).toEqual([
      'email ann skipped suppressed',
      'email bob sent',
    ]);
  });
});

function mailProvider(name: string, outcome: SendOutcome) {
  const sent: EmailMessage[] = [];
  const provider: Provider<'email'> = {
    name,
    channel: 'email',
    breakerKey: () => name,
    accepts: () => true,
    send: async (message) => {
      sent.push(message);
      return outcome;
    },
    close: async () => undefined,
  };
  return { provider, sent };
}

describe('a provider', () => {
  it('that is down hands over to the next one, and is asked no more once its breaker is open', async () => {
    const refused = { kind: 'fault', code: 'refused', detail: 'x', mayHaveSent: false } as const;
    const first = mailProvider('first', refused);
    const second = mailProvider('second', { kind: 'sent' });
    const providers = { email: [first.provider, second.provider], sms: [], push: [], webhook: [] };
    const notifying = await openNotifying({ providers });
    await seedPeople(notifying);
    await notifying.happen(...Array.from({ length: 20 }, () => PAID));
    const deliveries = await finished(notifying, 40);
    expect(allOf(deliveries, ({ status }) => status === 'sent')).toBe(true);
    expect(allOf(deliveries, ({ attemptsUsed }) => attemptsUsed === 1)).toBe(true);
    expect(first.sent).toHaveLength(10);
    expect(second.sent).toHaveLength(40);
  });

  it('that may have sent a text message is not asked again', async () => {
    const notifying = await openNotifying();
    const { run, happen, standIns } = notifying;
    await seedPeople(notifying);
    await run(['user.update', { userId: 'ann', contacts: { email: 'ann@example.test' } }]);
    standIns.receiver.inject({ on: 'sms', kind: 'effect-then-close', times: 5 });
    await happen({ name: 'user.blocked', data: { userId: 'ann' } });
    expect(told(await finished(notifying, 2))).toContainEqual(
      expect.stringMatching(/^sms ann uncertain /),
    );
    expect(standIns.receiver.received('sms')).toHaveLength(1);
  });
});

describe('notification.send', () => {
  it('sends a text to a user and to an address, and says where there was no way', async () => {
    const notifying = await openNotifying();
    const { standIns, node, run } = notifying;
    openSagas(node);
    await seedPeople(notifying);
    const content = { subject: 'Hello\r\nBcc: all@example.test', text: 'Braces {{stay}}' };
    await run(
      ['notification.send', { channels: ['email', 'sms', 'push'], userId: 'ann', content }],
      ['notification.send', { channels: ['email'], email: 'cyd@example.test', content }],
    );
    expect(told(await finished(notifying, 4))).toEqual([
      'email  sent',
      'email ann sent',
      'push ann skipped no_address',
      'sms ann sent',
    ]);
    const mails = standIns.mail.mails();
    expect(mails.map(({ to }) => to.join()).sort()).toEqual([
      'ann@example.test',
      'cyd@example.test',
    ]);
    expect(mails[0]).toMatchObject({ subject: 'Hello Bcc: all@example.test' });
    expect(mails[0]?.text).toContain('Braces {{stay}}');
  });

  it('that comes too late is not sent', async () => {
    const notifying = await openNotifying({ isSilent: true });
    const { standIns, node, run, notify, deliveries } = notifying;
    openSagas(node);
    await seedPeople(notifying);
    const deadline = new Date(Date.now() + 2_500);
    const input = { channels: ['email'], userId: 'ann', content: { text: 'soon' } };
    await run(['notification.send', input, { deadline }]);
    await until(() => Date.now() > deadline.getTime() + 200, 'the deadline passes');
    notify(node);
    expect(told(await finished(notifying, 1))).toEqual(['email ann expired expired']);
    expect(standIns.mail.mails()).toEqual([]);
    expect((await deliveries())[0]?.attempts).toEqual([]);
  });

  it('for a user who does not exist is refused', async () => {
    const notifying = await openNotifying();
    openSagas(notifying.node);
    const input = { channels: ['email'], userId: 'nobody', content: { text: 'hello' } };
    await notifying.run(['notification.send', input]);
    const operations = notifying.node.platform.mongo.db.collection('operations');
    expect(await operations.findOne({ type: 'notification.send' })).toMatchObject({
      status: 'rejected',
      error: { code: 'user_not_found' },
    });
    expect(await notifying.deliveries()).toEqual([]);
  });
});
