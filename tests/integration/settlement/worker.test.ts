import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { EntryDoc } from '../../../core/ledger/documents.ts';
import { type OperationDoc, jobOf } from '../../../core/operations/operation.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  settled,
  submission,
} from '../../support/platform.ts';
import { anotherJobOf } from '../../support/jobs.ts';
import { startWorker } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const user = (userId: string) =>
  submission('user.create', { userId, wallets: [{ currency: 'EUR' }] });
const credit = (userId: string, amount: number) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount });
const pay = (fromUserId: string, toUserId: string, amount: number) =>
  submission('transfer', { fromUserId, toUserId, currency: 'EUR', amount });

async function entriesOf({ platform }: Instance, userId: string): Promise<readonly EntryDoc[]> {
  return collection<EntryDoc>(platform.mongo.db, 'transactions')
    .find({ userId })
    .sort({ seq: 1 })
    .toArray();
}

/** Settlement jobs that nobody has finished. */
async function jobsLeft({ queues }: Instance): Promise<number> {
  const settlement = [...queues.byName].filter(([name]) => name !== 'events');
  const counts = settlement.map(([, queue]) =>
    queue.getJobCountByTypes('wait', 'active', 'delayed'),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Ingest that stores and enqueues nothing, as if every job were lost. */
async function acceptWithoutJobs(open: () => Promise<Instance>) {
  const cut = await open();
  await cut.queues.close();
  return async (work: Parameters<typeof accept>[1]) => accept(cut, work);
}

describe('the settlement worker', () => {
  it('lets one refusal spoil none of its neighbours in the batch', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [
      ...[user('ann'), user('bob'), credit('ann', 10)],
      ...[pay('ann', 'bob', 4), pay('ann', 'bob', 100), pay('ann', 'nobody', 1)],
      ...[pay('ann', 'bob', 6), credit('bob', 1), user('ann'), pay('ann', 'bob', 1)],
    ]);
    startWorker(node);
    expect(outcomesOf(await settled(node, operations))).toEqual([
      ...['succeeded', 'succeeded', 'succeeded'],
      ...['succeeded', 'rejected insufficient_funds', 'rejected wallet_not_found'],
      ...['succeeded', 'succeeded', 'rejected user_exists', 'rejected insufficient_funds'],
    ]);
    const anns = await entriesOf(node, 'ann');
    expect(anns.map(({ balanceAfter }) => balanceAfter)).toEqual([10n, 6n, 0n]);
    expect((await entriesOf(node, 'bob')).at(-1)?.balanceAfter).toBe(11n);
    await expectSoundLedger(node);
  });

  it('settles a line in the order of acceptance, its jobs shuffled, doubled and lost', async () => {
    const { node, open } = await openWorld();
    const store = await acceptWithoutJobs(open);
    await store([user('ann'), user('bob')]);
    const line: OperationDoc[] = [];
    for (let step = 1; step <= 40; step += 1) {
      line.push(...(await store([credit(step % 2 === 0 ? 'ann' : 'bob', step)])));
    }
    // A third of the jobs never comes, a third comes twice, all in reverse.
    const jobs = line.filter((_job, index) => index % 3 !== 0);
    const twice = jobs.filter((_job, index) => index % 2 === 0);
    const again = twice.map((operation) => anotherJobOf(operation, 2));
    await node.queues.publisher.publishOperations([...jobs.map(jobOf), ...again].reverse());
    startWorker(node);
    const done = await settled(node, line);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
    for (const [userId, rest] of [
      ['ann', 0],
      ['bob', 1],
    ] as const) {
      const amounts = (await entriesOf(node, userId)).map(({ amount }) => Number(amount));
      const accepted = Array.from({ length: 40 }, (_, index) => index + 1);
      expect(amounts).toEqual(accepted.filter((step) => step % 2 === rest));
    }
    await expectSoundLedger(node);
  });

  it('gives an operation whose job is delivered twenty times one effect', async () => {
    const { node } = await openWorld();
    const operations = await accept(node, [user('ann'), credit('ann', 5)]);
    const copies = operations.flatMap((operation) =>
      Array.from({ length: 20 }, (_, index) => anotherJobOf(operation, index + 1)),
    );
    await node.queues.publisher.publishOperations(copies);
    startWorker(node);
    await settled(node, operations);
    await until(async () => (await jobsLeft(node)) === 0, 'every copy is consumed');
    await node.queues.publisher.publishOperations(
      operations.map((operation) => anotherJobOf(operation, 99)),
    );
    await until(async () => (await jobsLeft(node)) === 0, 'the late copies are consumed');
    const entries = await entriesOf(node, 'ann');
    expect(entries.map(({ balanceAfter }) => balanceAfter)).toEqual([5n]);
    await expectSoundLedger(node);
  });

  it('publishes an outbox row, which is consumed once and removed', async () => {
    const { node } = await openWorld();
    const { platform } = node;
    startWorker(node);
    startNotifications({ platform, publisher: node.queues.publisher });
    const operations = await accept(node, [user('ann'), credit('ann', 5), pay('ann', 'bob', 9)]);
    await settled(node, operations);
    const outbox = collection(platform.mongo.db, 'outbox');
    await until(async () => (await outbox.countDocuments({})) === 0, 'the outbox is empty');
    const stream = `${platform.env.QUEUE_PREFIX}-stream:default`;
    const rows = await node.queues.connection.xrange(stream, '-', '+');
    const events = rows.map(([, fields]) => `${fields[5]?.slice(-4) ?? ''} ${fields[3] ?? ''}`);
    const ids = operations.map(({ _id }) => _id.slice(-4));
    expect(events.sort()).toEqual(
      [
        `${ids[0] ?? ''} operation.succeeded`,
        `${ids[0] ?? ''} user.created`,
        `${ids[1] ?? ''} operation.succeeded`,
        `${ids[2] ?? ''} operation.rejected`,
      ].sort(),
    );
  });
});
