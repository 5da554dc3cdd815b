import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { type DeliveryDoc, jobOfDelivery } from '../../../core/notifications/delivery/delivery.ts';
import { type Notifying, openNotifying, seedPeople } from '../../support/notifying.ts';
import { openSagas } from '../../support/notifying-sagas.ts';
import { until } from '../../support/wait.ts';

const HOUR = 3_600_000;
const SMS = { channels: ['sms'], userId: 'ann', content: { text: 'Your invoice is due.' } };

/** Hours of the day in UTC from an hour ago, so that they go on for `left` more. */
function quietFor(left: number) {
  const hour = new Date().getUTCHours();
  const clock = (at: number): string => `${String((at + 24) % 24).padStart(2, '0')}:00`;
  return { from: clock(hour - 1), to: clock(hour + left), zone: 'UTC' };
}

async function theOne({ deliveries }: Notifying): Promise<DeliveryDoc> {
  let found: DeliveryDoc | undefined;
  await until(async () => {
    [found] = await deliveries({ channel: 'sms' });
    return found !== undefined && (found.deferral !== undefined || found.status !== 'pending');
  }, 'the text message is looked at');
  if (found === undefined) throw new Error('there is no text message');
  return found;
}

describe('a text message in quiet hours that are longer than its life', () => {
  it('is still of use when they end, and is sent then', async () => {
    const notifying = await openNotifying();
    const { node, run, deliveries, standIns } = notifying;
    openSagas(node);
    await seedPeople(notifying);
    await run(['user.update', { userId: 'ann', quietHours: quietFor(14) }]);
    await run(['notification.send', SMS]);
    const held = await theOne(notifying);
    expect(held).toMatchObject({ status: 'pending', deferral: { code: 'quiet_hours' } });
    const endMs = held.notBefore?.getTime() ?? 0;
    expect(endMs - Date.now()).toBeGreaterThan(12 * HOUR); // its life
    expect(held.expiresAt.getTime()).toBeGreaterThan(endMs + HOUR);
    // The quiet hours are over.
    await run(['user.update', { userId: 'ann', quietHours: quietFor(-1) }]);
    await collection<DeliveryDoc>(node.platform.mongo.db, 'deliveries').updateOne(
      { _id: held._id },
      { $set: { notBefore: new Date() }, $inc: { seq: 1 } },
    );
    const { jobId: _later, ...due } = held;
    await node.queues.publisher.publishDeliveries([jobOfDelivery({ ...due, seq: held.seq + 1 })]);
    await until(async () => (await deliveries({ status: 'sent' })).length === 1, 'it is sent');
    expect(standIns.receiver.received('sms')).toHaveLength(1);
  });
});
