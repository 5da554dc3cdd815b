import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { startMongo, type LocalMongo } from '../../../scripts/dev/servers/mongo.ts';
import { pickPort, waitUntil } from '../../../scripts/dev/servers/ports.ts';
import { createCleanup, createMemoryLog, isRunning } from './support.ts';

const cleanup = createCleanup();
/** Starting servers takes a second here, and many on a machine that is busy. */
const TIMEOUT_MS = 120_000;
const FAILOVER_MS_MAX = 20_000;

async function start(dataDir: string): Promise<LocalMongo> {
  const mongo = await startMongo({
    dataDir,
    members: 3,
    log: createMemoryLog(),
    port: await pickPort([]),
  });
  cleanup.add(() => mongo.discard());
  return mongo;
}

function connect(mongo: LocalMongo): MongoClient {
  const client = new MongoClient(mongo.url, { writeConcern: { w: 'majority' } });
  cleanup.add(() => client.close());
  return client;
}

describe('a local MongoDB of three', { timeout: TIMEOUT_MS }, () => {
  afterEach(cleanup.run);

  it('elects another primary when one is killed, and loses nothing it acknowledged', async () => {
    const mongo = await start(cleanup.makeFolder());
    const kept = connect(mongo).db('local-servers').collection<{ _id: number }>('kept');
    await kept.insertOne({ _id: -1 });
    const acknowledged: number[] = [-1];
    let isOver = false;
    const writer = (async () => {
      for (let id = 0; !isOver; id += 1) {
        const isWritten = await kept.insertOne({ _id: id }).then(
          () => true,
          () => false,
        );
        if (isWritten) acknowledged.push(id);
      }
    })();
    cleanup.add(async () => {
      isOver = true;
      await writer;
    });
    const before = await mongo.waitForPrimary();
    const { pid } = before;
    const hasWritten = (count: number) => () => acknowledged.length >= count;
    expect(await waitUntil(hasWritten(50), { timeoutMs: FAILOVER_MS_MAX })).toBe(true);
    before.kill('SIGKILL');
    const after = await mongo.waitForPrimary(FAILOVER_MS_MAX);
    expect(after.port).not.toBe(before.port);
    expect(isRunning(pid ?? 0)).toBe(false);
    const more = hasWritten(acknowledged.length + 20);
    expect(await waitUntil(more, { timeoutMs: FAILOVER_MS_MAX })).toBe(true);
    await before.restart();
    await mongo.waitForAllMembers();
    isOver = true;
    await writer;
    const found = new Set((await kept.find().toArray()).map((document) => document._id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  });

  it('comes back on the same data when all its ports have changed', async () => {
    const folder = cleanup.makeFolder();
    const first = await start(folder);
    await connect(first).db('local-servers').collection('kept').insertOne({});
    await first.stop();
    const second = await start(folder);
    expect(second.url).not.toBe(first.url);
    const count = await connect(second).db('local-servers').collection('kept').countDocuments();
    expect(count).toBe(1);
  });
});
