import type { CommandSucceededEvent } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import { createDeliveryRecoveryStore } from '../../../core/notifications/delivery/delivery-recovery-store.ts';
import { type DeliveryDoc, jobOfDelivery } from '../../../core/notifications/delivery/delivery.ts';
import { createNews } from '../../../core/recovery/news.ts';
import { createRecoveryStore } from '../../../core/operations/recovery-store.ts';
import { createRepairStore } from '../../../core/operations/repair-store.ts';
import { sweepDeliveries } from '../../../core/recovery/sweep-deliveries.ts';
import { sweep } from '../../../core/recovery/sweep.ts';
import { openLines } from '../../../core/operations/lines.ts';
import { type OperationDoc, jobOf } from '../../../core/operations/operation.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import { type Instance, accept, openWorld, submission } from '../../support/platform.ts';
import { delivery } from '../../support/queries/piles.ts';

const BACKLOG = 100;
/** What any sweep looks at, and the few jobs that tell how far the queue has come. */
const FEW = 40;

const ago = (ms: number): Date => new Date(Date.now() - ms);

function sweepOf(node: Instance): () => Promise<unknown> {
  const { mongo, logger, metrics, failpoint, processId: workerId } = node.platform;
  const { databaseTime, queues } = node;
  const { publisher } = queues;
  const outbox = createOutboxStore(mongo.db);
  const shared = { databaseTime, publisher, logger, metrics, failpoint, news: createNews() };
  const operations = {
    ...shared,
    ...{ workerId, outbox, leaseMs: LIMITS.sweepLeaseMs, expireHolds: async () => 0 },
    store: createRecoveryStore(mongo.db),
    repairs: createRepairStore(mongo.db, outbox),
    lines: openLines(mongo.db, publisher),
    schedules: { ensure: async () => 0 },
    leases: createLeaseStore(mongo.db),
  };
  const store = createDeliveryRecoveryStore(mongo.db);
  return async () => {
    await sweep(operations);
    await sweepDeliveries({ ...shared, store });
  };
}

/** Stepwise operations whose jobs wait for their turn, each enqueued a moment after the other. */
async function operationsWait(node: Instance, sinceMs: number): Promise<readonly OperationDoc[]> {
  const deposit = submission('deposit', {
    userId: 'a',
    currency: 'EUR',
    amount: 1,
    instrument: 'c',
  });
  const [one] = await accept(node, [deposit]);
  if (one === undefined) throw new Error('nothing was accepted');
  const since = ago(sinceMs).getTime();
  const docs = Array.from({ length: BACKLOG }, (_, n): OperationDoc => {
    const _id = newOperationId();
    const at = new Date(since + n);
    const nextCheckAt = new Date(at.getTime() + LIMITS.recheckMs);
    return { ...one, _id, idempotencyKey: _id, nextCheckAt, dispatch: { ...one.dispatch, at } };
  });
  await collection<OperationDoc>(node.platform.mongo.db, 'operations').insertMany([...docs]);
  await node.queues.publisher.publishOperations(docs.map(jobOf));
  return docs;
}

async function deliveriesWait(node: Instance, sinceMs: number): Promise<readonly DeliveryDoc[]> {
  const since = ago(sinceMs).getTime();
  const docs = Array.from({ length: BACKLOG }, (_, n) => {
    const createdAt = new Date(since + n);
    const nextCheckAt = new Date(createdAt.getTime() + LIMITS.deliveryRecheckMs);
    return delivery({ createdAt, nextCheckAt }) as unknown as DeliveryDoc;
  });
  await collection<DeliveryDoc>(node.platform.mongo.db, 'deliveries').insertMany([...docs]);
  await node.queues.publisher.publishDeliveries(docs.map(jobOfDelivery));
  return docs;
}

/** Documents that it reads or writes. */
async function costOf({ platform }: Instance, work: () => Promise<unknown>): Promise<number> {
  const { client } = platform.mongo;
  let answers = 0;
  let cost = 0;
  const note = ({ reply }: CommandSucceededEvent): void => {
    const { cursor, n } = reply as { cursor?: { firstBatch?: readonly unknown[] }; n?: number };
    answers += 1;
    cost += (cursor?.firstBatch?.length ?? 0) + (n ?? 0);
  };
  client.on('commandSucceeded', note);
  await work();
  client.off('commandSucceeded', note);
  expect(answers).toBeGreaterThan(10);
  return cost;
}

describe('recovery beside a backlog that is overdue and healthy', () => {
  it.each([
    ['stepwise operations', operationsWait],
    ['deliveries', deliveriesWait],
  ])('costs the same, however many wait in their queue: %s', async (_what, wait) => {
    const { node } = await openWorld({ monitor: true });
    const work = sweepOf(node);
    await wait(node, 1_000_000);
    await work();
    const small = await costOf(node, work);
    for (const sinceMs of [900_000, 800_000, 700_000]) await wait(node, sinceMs);
    const large = await costOf(node, work);
    expect(large - small).toBeLessThan(FEW);
  });

  it('finds the operation that never got a job, and leaves those before it alone', async () => {
    const { node } = await openWorld();
    const work = sweepOf(node);
    await operationsWait(node, 1_000_000);
    const late = await operationsWait(node, LIMITS.recheckMs + 5_000);
    const lost = late[5];
    if (lost === undefined) throw new Error('nothing waits');
    await node.queues.byName.get('saga')?.remove(jobOf(lost).jobId);
    await work();
    const after = await collection<OperationDoc>(node.platform.mongo.db, 'operations')
      .find({ 'dispatch.seq': { $gt: lost.dispatch.seq } })
      .toArray();
    expect(after.map(({ _id }) => _id)).toEqual([lost._id]);
  });

  it('finds the delivery that never got a job, and leaves those before it alone', async () => {
    const { node } = await openWorld();
    const work = sweepOf(node);
    await deliveriesWait(node, 1_000_000);
    const late = await deliveriesWait(node, LIMITS.deliveryRecheckMs + 5_000);
    const lost = late[5];
    if (lost === undefined) throw new Error('nothing waits');
    await node.queues.byName.get('notify-email')?.remove(`${lost._id}.${lost.seq}`);
    await work();
    const after = await collection<DeliveryDoc>(node.platform.mongo.db, 'deliveries')
      .find({ seq: { $gt: lost.seq } })
      .toArray();
    expect(after.map(({ _id }) => _id)).toEqual([lost._id]);
  });
});
