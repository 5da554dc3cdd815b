import { describe, expect, it, onTestFinished } from 'vitest';
import { faultOf } from '../../../core/infra/database-errors.ts';
import { openMongo } from '../../../core/infra/mongo.ts';
import { createLedgerStore } from '../../../core/ledger/ledger-store.ts';
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { openWorld } from '../../support/platform.ts';

/** A ledger that reaches MongoDB through a proxy, and a collection to see what it has committed. */
async function openBehindProxy() {
  const { node, database } = await openWorld();
  const [host] = new URL(database.mongoUrl).host.split(',');
  const proxy = await startTcpProxy({ port: Number(new URL(`http://${String(host)}`).port) });
  onTestFinished(() => proxy.close());
  const { db } = node.platform.mongo;
  const mongo = await openMongo({
    url: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
    database: db.databaseName,
    appName: 'commits',
  });
  onTestFinished(() => mongo.close());
  await db.createCollection('marks');
  const ledger = createLedgerStore(mongo.client, mongo.db);
  const mark = (beforeCommit: () => void): Promise<string> =>
    ledger.transact(async ({ session }) => {
      await mongo.db.collection('marks').insertOne({ at: new Date() }, { session });
      return 'committed';
    }, beforeCommit);
  return { proxy, mark, count: () => db.collection('marks').countDocuments({}) };
}

const COMMIT = 'commitTransaction';

describe('a commit whose answer is lost', { timeout: 60_000 }, () => {
  it('is asked for again, and has happened once', async () => {
    const { proxy, mark, count } = await openBehindProxy();
    const outcome = await mark(() => {
      proxy.cutAt(COMMIT, 3, 'after');
    });
    expect(outcome).toBe('committed');
    expect(await count()).toBe(1);
  });

  it('again and again is not taken for done: it is thrown as unknown', async () => {
    const { proxy, mark, count } = await openBehindProxy();
    const thrown: unknown = await mark(() => {
      proxy.cutAt(COMMIT, 1_000, 'before');
    }).catch((error: unknown) => error);
    expect(faultOf(thrown)).toBe('commit-unknown');
    expect(await count()).toBe(0);
  });
});
