import { MongoBulkWriteError, MongoNetworkError } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { OUTCOME_UNKNOWN } from '../../../core/infra/database-errors.ts';
import { createIngest } from '../../../core/ingest/ingest.ts';
import type { Ingest, SubmissionOutcome } from '../../../core/ingest/submission.ts';
import type { OperationStore } from '../../../core/operations/operation-store.ts';
import { laneQueue } from '../../../queues/catalog.ts';
import { bulkError, lostConcern } from '../../support/bulk-errors.ts';
import { type TcpProxy, startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { type Instance, context, openWorld, submission } from '../../support/platform.ts';
import { until } from '../../support/wait.ts';

const credit = (userId: string) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount: 1 });

function toldOf(outcome: SubmissionOutcome): string {
  return outcome.kind === 'refused' ? outcome.error.detail : outcome.kind;
}

const count = ({ platform }: Instance): Promise<number> =>
  platform.mongo.db.collection('operations').countDocuments({});

interface Setting {
  readonly proxy: TcpProxy;
  readonly node: Instance;
  /** Reaches MongoDB through the proxy. */
  readonly cut: Instance;
}

async function openBehindProxy(): Promise<Setting> {
  const { node, open, database } = await openWorld();
  const [host] = new URL(database.mongoUrl).host.split(',');
  const proxy = await startTcpProxy({ port: Number(new URL(`http://${String(host)}`).port) });
  onTestFinished(() => proxy.close());
  const cut = await open({
    MONGO_URL: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
  });
  return { proxy, node, cut };
}

/** Breaks the network when an insert is about to leave. */
function breakingIngest({ cut, node, proxy }: Setting, how: 'cut' | 'lose-replies'): Ingest {
  return createIngest({
    ...cut.platform,
    ...{ store: cut.store, databaseTime: node.databaseTime, publisher: node.queues.publisher },
    ...{ backlog: () => false, lanes: 8, laneQueue, answerMs: how === 'cut' ? 60_000 : 500 },
    failpoint: (name) => {
      if (name === 'ingest.before-insert') proxy.break(how);
    },
  });
}

function ingestOn(node: Instance, store: Partial<OperationStore>, answerMs = 60_000): Ingest {
  return createIngest({
    ...node.platform,
    ...{ databaseTime: node.databaseTime, publisher: node.queues.publisher },
    ...{ backlog: () => false, lanes: 8, laneQueue, answerMs, store: { ...node.store, ...store } },
  });
}

describe('an insert whose answer is lost', () => {
  it('is accepted by nobody: the connection is cut as it leaves, nothing is stored', async () => {
    const setting = await openBehindProxy();
    const { node, cut, proxy } = setting;
    const both = [credit('ann'), credit('bob')];
    const outcomes = await breakingIngest(setting, 'cut').submit(both, context());
    expect(outcomes.map(toldOf)).toEqual([OUTCOME_UNKNOWN, OUTCOME_UNKNOWN]);
    expect(await count(node)).toBe(0);
    proxy.heal();
    const again = await cut.ingest.submit(both, context());
    expect(again.map(toldOf)).toEqual(['accepted', 'accepted']);
    expect(await count(node)).toBe(2);
  });

  it('is answered as unknown within the bound, and the same key finds what was stored', async () => {
    const setting = await openBehindProxy();
    const { node, proxy } = setting;
    const one = credit('ann');
    const ingest = breakingIngest(setting, 'lose-replies');
    const [outcome] = await ingest.submit([one], context());
    expect(outcome).toMatchObject({
      kind: 'refused',
      error: { code: 'ledger_unavailable', detail: OUTCOME_UNKNOWN },
    });
    await until(async () => (await count(node)) === 1, 'the operation is stored all the same');
    const again = await node.ingest.submit([one], context());
    expect(again.map(toldOf)).toEqual(['replayed']);
    proxy.heal();
    await ingest.drain();
    expect(await count(node)).toBe(1);
  });

  it('holds nobody whose group stalls, and what lands later is enqueued; the rest is not sent', async () => {
    const { node } = await openWorld();
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let inserts = 0;
    const published: string[] = [];
    const ingest = createIngest({
      ...node.platform,
      ...{
        databaseTime: node.databaseTime,
        backlog: () => false,
        lanes: 8,
        laneQueue,
        answerMs: 1_500,
      },
      store: {
        ...node.store,
        insert: async (docs) => {
          inserts += 1;
          const stored = await node.store.insert(docs);
          await gate;
          return stored;
        },
      },
      publisher: {
        ...node.queues.publisher,
        publishOperations: async (jobs) => {
          published.push(...jobs.map(({ operationId }) => operationId));
          return Promise.resolve();
        },
      },
    });
    const answers: Promise<readonly SubmissionOutcome[]>[] = [];
    for (let group = 1; group <= LIMITS.groupCommitsInFlightMax; group += 1) {
      answers.push(ingest.submit([credit(`u${group}`)], context()));
      await until(() => inserts === group, 'the group is under way');
    }
    const late = ingest.submit([credit('late')], context());
    const told = (await Promise.all(answers)).flat().map(toldOf);
    expect(told).toEqual(answers.map(() => OUTCOME_UNKNOWN));
    expect((await late).map(toldOf)).toEqual([expect.stringContaining('nothing was stored')]);
    goOn();
    const after = await ingest.submit([credit('after')], context());
    expect(after.map(toldOf)).toEqual(['accepted']);
    await ingest.drain();
    expect(await count(node)).toBe(LIMITS.groupCommitsInFlightMax + 1);
    expect(published).toHaveLength(LIMITS.groupCommitsInFlightMax + 1);
  });

  it.each([
    ['a bulk error without write errors', () => bulkError([])],
    [
      'a broken connection in its wrapper',
      () => new MongoBulkWriteError(new MongoNetworkError('cut'), bulkError([]).result),
    ],
    ['duplicates beside a write concern that failed', () => lostConcern(bulkError([11_000]))],
  ])('is unknown, and not a failure of ours: %s', async (_what, errorOf) => {
    const { node } = await openWorld();
    const ingest = ingestOn(node, { insert: async () => Promise.reject(errorOf()) });
    const [outcome] = await ingest.submit([credit('ann')], context());
    expect(outcome).toMatchObject({
      kind: 'refused',
      error: { code: 'ledger_unavailable', kind: 'unavailable', detail: OUTCOME_UNKNOWN },
    });
  });
});
