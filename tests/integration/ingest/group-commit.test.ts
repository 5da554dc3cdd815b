import { MongoNetworkError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import { createIngest } from '../../../core/ingest/ingest.ts';
import type { SubmissionOutcome } from '../../../core/ingest/submission.ts';
import { type OperationDoc, isOlder, jobIdOf, jobOf } from '../../../core/operations/operation.ts';
import { LANES, laneQueue, operationsOf } from '../../../queues/catalog.ts';
import {
  type Instance,
  TENANT,
  accept,
  context,
  openWorld,
  readOperations,
  submission,
} from '../../support/platform.ts';

const credit = (userId: string, amount = 1) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount });

async function countOperations({ platform }: Instance): Promise<number> {
  return collection<OperationDoc>(platform.mongo.db, 'operations').countDocuments({});
}

async function jobCount({ queues }: Instance): Promise<number> {
  const counts = await Promise.all([...queues.byName.values()].map((queue) => queue.count()));
  return counts.reduce((sum, count) => sum + count, 0);
}

function kindOf(outcome: SubmissionOutcome): string {
  return outcome.kind === 'refused' ? outcome.error.code : outcome.kind;
}

/** Insert statements that reached the server while `work` ran. */
async function insertsDuring(node: Instance, work: () => Promise<unknown>): Promise<number> {
  let inserts = 0;
  const { client } = node.platform.mongo;
  client.on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'insert' && command['insert'] === 'operations') inserts += 1;
  });
  await work();
  client.removeAllListeners('commandStarted');
  return inserts;
}

describe('group commit', () => {
  it('stores concurrent requests with one insert, and each gets its own operation', async () => {
    const { node } = await openWorld({ monitor: true });
    let outcomes: readonly SubmissionOutcome[] = [];
    const inserts = await insertsDuring(node, async () => {
      const answers = Array.from({ length: LIMITS.groupCommitEnough - 1 }, (_, index) =>
        node.ingest.submit([credit(`u${index}`, index + 1)], context()),
      );
      outcomes = (await Promise.all(answers)).flat();
    });
    expect(inserts).toBe(1);
    expect(new Set(outcomes.map(kindOf))).toEqual(new Set(['accepted']));
    const amounts = outcomes.map((outcome) =>
      outcome.kind === 'refused' ? undefined : outcome.operation.input,
    );
    expect(amounts).toEqual(
      outcomes.map((_, index) => ({
        ...{ userId: `u${index}`, currency: 'EUR' },
        amount: String(index + 1),
      })),
    );
  });

  it('does not wait for more when there are enough', async () => {
    const { node } = await openWorld({ monitor: true });
    const inserts = await insertsDuring(node, async () => {
      await Promise.all(
        Array.from({ length: LIMITS.groupCommitEnough + 1 }, (_, index) =>
          node.ingest.submit([credit(`u${index}`)], context()),
        ),
      );
    });
    expect(inserts).toBe(2);
    expect(await countOperations(node)).toBe(LIMITS.groupCommitEnough + 1);
  });

  it('stores and enqueues what it answers: the document, the job, the first check', async () => {
    const { node } = await openWorld();
    const submitted = credit('ann');
    const [accepted] = await accept(node, [submitted]);
    const [stored] = await readOperations(node, accepted === undefined ? [] : [accepted]);
    expect(stored).toEqual({ ...accepted, stamp: stored?.stamp }); // MongoDB's own
    expect(stored && isOlder(accepted ?? stored, stored)).toBe(true);
    expect(stored).toMatchObject({
      ...{ tenantId: TENANT, type: 'wallet.credit', typeVersion: 1, status: 'accepted', epoch: 0 },
      ...{ idempotencyKey: submitted.idempotencyKey, input: submitted.input },
      ...{ orderingKey: `${TENANT}|u:ann`, correlationId: 'test' },
    });
    const { _id: id = '', lane = -1, dispatch, nextCheckAt, createdAt } = stored ?? {};
    expect(dispatch).toEqual({ queue: laneQueue(lane), seq: 1, at: createdAt });
    expect(nextCheckAt?.getTime()).toBeGreaterThan(createdAt?.getTime() ?? Infinity);
    const job = await node.queues.byName.get(laneQueue(lane))?.getJob(jobIdOf(id, 1));
    expect(job?.name).toBe('wallet.credit');
    expect(job?.data).toEqual({
      ...{ v: 1, operationId: id, tenantId: TENANT, seq: 1 },
      trace: { correlationId: 'test' },
    });
  });

  it('enqueues what arrives together in one job per lane, which names its operations', async () => {
    const { node } = await openWorld();
    const users = Array.from({ length: 60 }, (_, index) => `u${index}`);
    const operations = await accept(node, [
      ...users.map((userId) => credit(userId)),
      submission('wallet.debit', { userId: 'u0', currency: 'EUR', amount: 1 }),
      submission('deposit', { userId: 'u0', currency: 'EUR', amount: 1, instrument: 'card' }),
    ]);
    const lanes = new Set(operations.flatMap(({ lane }) => lane ?? []));
    expect(await jobCount(node)).toBe(lanes.size + 1); // and one of the saga
    const stored = await readOperations(node, operations);
    const named = new Map<string, unknown[]>();
    for (const one of stored) {
      const { jobId, operationId, tenantId, seq } = jobOf(one);
      named.set(jobId, [...(named.get(jobId) ?? []), { operationId, tenantId, seq }]);
    }
    const debit = stored.find(({ type }) => type === 'wallet.debit');
    for (const lane of lanes) {
      const [job] = (await node.queues.byName.get(laneQueue(lane))?.getJobs(['waiting'])) ?? [];
      expect(job?.data).toEqual({ v: 2, operations: named.get(job?.id ?? '') });
      expect(job?.name).toBe(lane === debit?.lane ? 'several types' : 'wallet.credit');
    }
  });

  it('lets a job stand for so many operations and no more', async () => {
    const { node } = await openWorld();
    const max = LIMITS.jobOperationsMax;
    await accept(
      node,
      Array.from({ length: max * 2 + 1 }, (_, index) => credit('ann', index + 1)),
    );
    const [operation] = await node.store.openInLanes(LANES, 1);
    const queue = node.queues.byName.get(laneQueue(operation?.lane ?? -1));
    const sizes = (await queue?.getJobs(['waiting']))?.map(({ data }) => operationsOf(data).length);
    expect(sizes?.sort((a, b) => a - b)).toEqual([1, max, max]);
  });

  it('keeps tenants apart: the same key of two tenants is two operations', async () => {
    const { node } = await openWorld();
    const once = credit('ann');
    const answers = await Promise.all([
      node.ingest.submit([once], context('acme')),
      node.ingest.submit([once], context('other')),
    ]);
    expect(answers.flat().map(kindOf)).toEqual(['accepted', 'accepted']);
    expect(await countOperations(node)).toBe(2);
  });

  it('turns 20 concurrent requests with one key into one operation', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    const once = credit('ann');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? node : other).ingest.submit([once], context()),
      ),
    );
    const kinds = answers.flat().map(kindOf);
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'replayed')).toHaveLength(19);
    const ids = answers.flat().map((one) => (one.kind === 'refused' ? '' : one.operation._id));
    expect(new Set(ids).size).toBe(1);
    expect(await countOperations(node)).toBe(1);
    expect(await jobCount(node)).toBe(1);
  });

  it('gives duplicates inside one group the first one, and neighbours their own', async () => {
    const { node } = await openWorld();
    const once = credit('ann');
    const outcomes = await node.ingest.submit([once, credit('bob'), once, once], context());
    expect(outcomes.map(kindOf)).toEqual(['accepted', 'accepted', 'replayed', 'replayed']);
  });

  it('answers what it has stored although the look at a duplicate fails', async () => {
    const { node } = await openWorld();
    const once = credit('ann');
    await accept(node, [once]);
    const blind = createIngest({
      ...node.platform,
      ...{ databaseTime: node.databaseTime, publisher: node.queues.publisher },
      ...{ backlog: () => false, lanes: 8, laneQueue },
      store: {
        ...node.store,
        findByKeys: async () => Promise.reject(new MongoNetworkError('cut off')),
      },
    });
    const outcomes = await blind.submit([credit('bob'), once], context());
    expect(outcomes.map(kindOf)).toEqual(['accepted', 'ledger_unavailable']);
  });

  it('answers what it has stored without waiting for Redis', async () => {
    const { node } = await openWorld();
    let goOn: () => void = () => undefined;
    const asked: string[] = [];
    const blind = createIngest({
      ...node.platform,
      ...{
        store: node.store,
        databaseTime: node.databaseTime,
        backlog: () => false,
        lanes: 8,
        laneQueue,
      },
      publisher: {
        ...node.queues.publisher,
        publishOperations: async (jobs) => {
          asked.push(...jobs.map(({ operationId }) => operationId));
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        },
      },
    });
    const [accepted] = await accept({ ingest: blind }, [credit('ann')]);
    expect(asked).toEqual([accepted?._id]);
    expect(await countOperations(node)).toBe(1);
    // What is under way is waited for by whoever closes.
    const drained = blind.drain();
    const first = await Promise.race([drained.then(() => 'drained'), countOperations(node)]);
    expect(first).toBe(1);
    goOn();
    await drained;
  });

  it('refuses what comes after drain, and finishes what came before', async () => {
    const { node } = await openWorld();
    const before = node.ingest.submit([credit('ann')], context());
    await node.ingest.drain();
    expect((await before).map(kindOf)).toEqual(['accepted']);
    const after = await node.ingest.submit([credit('ann')], context());
    expect(after.map(kindOf)).toEqual(['shutting_down']);
  });

  it('refuses with nothing stored when MongoDB is gone', async () => {
    const { node, open } = await openWorld();
    const doomed = await open();
    await doomed.platform.mongo.close();
    const outcomes = await doomed.ingest.submit([credit('ann'), credit('bob')], context());
    expect(outcomes.map(kindOf)).toEqual(['ledger_unavailable', 'ledger_unavailable']);
    expect(await countOperations(node)).toBe(0);
  });
});
