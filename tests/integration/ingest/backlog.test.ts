import { expect, it } from 'vitest';
import { createIngest } from '../../../core/ingest/ingest.ts';
import { laneQueue } from '../../../queues/catalog.ts';
import { explained } from '../../support/explain.ts';
import { context, openWorld, submission } from '../../support/platform.ts';

const credit = { userId: 'ann', currency: 'EUR', amount: 1 };
const deposit = { ...credit, instrument: 'card' };

it('a backlog is counted by tenant and in all, stepwise work too, from an index alone', async () => {
  const { node } = await openWorld({ monitor: true });
  const { store, ingest } = node;
  await ingest.submit([submission('wallet.credit', credit)], context('flood'));
  await ingest.submit([submission('deposit', deposit)], context('flood'));
  // Its name begins like the other's.
  await ingest.submit([submission('deposit', deposit)], context('flood-2'));
  const countAll = async (): Promise<readonly number[]> => [
    await store.countOpen(9),
    await store.countOpen(9, 'flood'),
    await store.countOpen(9, 'flood-2'),
    await store.countOpen(2),
  ];
  expect(await countAll()).toEqual([3, 2, 1, 2]);
  const looks = await explained(node, countAll);
  expect(looks).toHaveLength(4);
  for (const { stages, docsExamined } of looks) {
    expect(stages).not.toContain('COLLSCAN');
    expect(docsExamined).toBe(0);
  }
});

it('a tenant whose backlog is full is refused alone, and told when to come again', async () => {
  const { node } = await openWorld();
  const { platform, store, databaseTime, queues } = node;
  const backlog = (tenantId: string): boolean => tenantId === 'flood';
  const { publisher } = queues;
  const ingest = createIngest({
    ...platform,
    ...{ store, databaseTime, publisher, backlog, lanes: 8, laneQueue },
  });
  const one = [submission('wallet.credit', credit)];
  const [refused] = await ingest.submit(one, context('flood'));
  const error = { code: 'backlog_full', retryAfterSeconds: 5 };
  expect(refused).toMatchObject({ kind: 'refused', error });
  const [taken] = await ingest.submit(one, context('other'));
  expect(taken).toMatchObject({ kind: 'accepted' });
});
