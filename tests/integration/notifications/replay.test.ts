import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { createDeliveryAdmin } from '../../../core/notifications/delivery/delivery-admin.ts';
import { createDeliveryReads } from '../../../core/notifications/delivery/delivery-reads-store.ts';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import { POLICIES, fixedPolicies } from '../../../core/notifications/policies.ts';
import { createRepeatStore } from '../../../core/notifications/delivery/repeat-store.ts';
import { TENANT, openWorld } from '../../support/platform.ts';

const COUNT = 1_200;
const SENT = { status: 'sent', channel: 'webhook' } as const;

/** More deliveries that were sent than one request replays. */
async function openSent() {
  const { node } = await openWorld();
  const { db } = node.platform.mongo;
  const now = new Date();
  const docs = collection<DeliveryDoc>(db, 'deliveries');
  await docs.insertMany(
    Array.from({ length: COUNT }, (_, index) => ({
      _id: `dlv_${index.toString(16).padStart(48, '0')}` as const,
      tenantId: TENANT,
      ...SENT,
      event: { id: 'evt_1', name: 'transfer.settled', at: now },
      category: 'webhooks',
      address: 'https://shop.test/',
      template: 'transfer.settled',
      data: {},
      seq: 1,
      attempts: [],
      attemptsUsed: 1,
      expiresAt: now,
      createdAt: now,
    })),
  );
  const { logger } = node.platform;
  const admin = createDeliveryAdmin({
    deliveries: createDeliveryReads(db, { tenantId: TENANT, policies: fixedPolicies(POLICIES) }),
    publisher: node.queues.publisher,
    repeats: createRepeatStore(db, TENANT),
    databaseTime: node.databaseTime,
    logger,
    replayMax: 1_000,
  });
  /** Everything that was sent again is out: it matches the filter once more. */
  const deliverAll = () => docs.updateMany({ status: 'pending' }, { $set: { status: 'sent' } });
  const resends = async () => (await docs.find().toArray()).map((one) => one.resends ?? 0);
  return { admin, docs, deliverAll, resends };
}

describe('a replay of more than one request takes', () => {
  it('goes on where the last one ended, and repeats none although all still match', async () => {
    const { admin, deliverAll, resends } = await openSent();
    const first = await admin.replay(SENT, { dryRun: false });
    expect(first.result).toMatchObject({ replayed: 1_000, isComplete: false });
    await deliverAll();
    const after = first.result.after ?? 'none';
    const second = await admin.replay(SENT, { dryRun: false, after });
    expect(second.result).toMatchObject({ replayed: COUNT - 1_000, isComplete: true });
    const times = await resends();
    expect(times).toHaveLength(COUNT);
    expect(new Set(times)).toEqual(new Set([1]));
  });

  it('sends each once when the answer is lost and it is asked for again under its key', async () => {
    const { admin, docs, deliverAll, resends } = await openSent();
    const request = { dryRun: false, key: 'replay-1' };
    const first = await admin.replay(SENT, request);
    await deliverAll();
    expect(await admin.replay(SENT, request)).toEqual({ result: first.result, isRepeat: true });
    // The process died before it could note its answer: what it had done is not done again.
    await docs.db.collection('notification_repeats').updateMany({}, { $unset: { reply: '' } });
    const again = await admin.replay(SENT, request);
    expect(again).toMatchObject({ result: { matched: 1_000, replayed: 0 }, isRepeat: false });
    const times = await resends();
    expect(times.filter((count) => count === 1)).toHaveLength(1_000);
    expect(times.filter((count) => count > 1)).toEqual([]);
    const other = admin.replay({ ...SENT, userId: 'ann' }, request);
    await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });
});
