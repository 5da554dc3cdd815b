import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient, type Collection } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import {
  startMongo,
  type LocalMongo,
  type MongoOptions,
} from '../../../scripts/dev/servers/mongo.ts';
import { pickPort, waitUntil } from '../../../scripts/dev/servers/ports.ts';
import {
  createCleanup,
  createMemoryLog,
  isRunning,
  listProcessesOf,
  occupyPort,
} from './support.ts';

const cleanup = createCleanup();
/** Starting servers takes a second here, and many on a machine that is busy. */
const TIMEOUT_MS = 60_000;
const log = createMemoryLog();

async function start(dataDir: string, more: Partial<MongoOptions> = {}): Promise<LocalMongo> {
  const mongo = await startMongo({ dataDir, members: 1, log, cacheGb: 0.25, ...more });
  cleanup.add(() => mongo.discard());
  return mongo;
}

function open(mongo: LocalMongo): Collection<{ _id: number }> {
  const client = new MongoClient(mongo.url, {
    serverSelectionTimeoutMS: 20_000,
    writeConcern: { w: 'majority' },
  });
  cleanup.add(() => client.close());
  return client.db('local-servers').collection<{ _id: number }>('kept');
}

function onlyMember(mongo: LocalMongo): LocalMongo['members'][number] {
  const [member] = mongo.members;
  if (member === undefined) throw new Error('the set has no member');
  return member;
}

describe('a local MongoDB', { timeout: TIMEOUT_MS }, () => {
  afterEach(cleanup.run);

  it('keeps its data from one start to the next, on the same port', async () => {
    const folder = cleanup.makeFolder();
    const first = await start(folder, { port: await pickPort([]) });
    await open(first).insertOne({ _id: 1 });
    await first.stop();
    expect(listProcessesOf(folder)).toEqual([]);
    const second = await start(folder);
    expect(second.url).toBe(first.url);
    expect(await open(second).countDocuments()).toBe(1);
  });

  it('finds its data again when its port was taken meanwhile', async () => {
    const folder = cleanup.makeFolder();
    const first = await start(folder);
    await open(first).insertOne({ _id: 1 });
    await first.stop();
    const occupied = await occupyPort(onlyMember(first).port);
    cleanup.add(() => occupied.close());
    const second = await start(folder);
    expect(second.url).not.toBe(first.url);
    const kept = open(second);
    await kept.insertOne({ _id: 2 });
    expect(await kept.countDocuments()).toBe(2);
  });

  it('finds its data again in a folder whose data was restored from another place', async () => {
    const folder = cleanup.makeFolder();
    const first = await start(folder, { port: await pickPort([]) });
    await open(first).insertOne({ _id: 1 });
    await first.stop();
    const port = await pickPort([]);
    writeFileSync(join(folder, 'ports.json'), JSON.stringify({ ports: [port] }));
    const second = await start(folder);
    expect(onlyMember(second).port).not.toBe(onlyMember(first).port);
    expect(await open(second).countDocuments()).toBe(1);
  });

  it('keeps what it acknowledged when it is killed', async () => {
    const mongo = await start(cleanup.makeFolder());
    const member = onlyMember(mongo);
    const { pid } = member;
    const kept = open(mongo);
    for (let id = 0; id < 20; id += 1) await kept.insertOne({ _id: id });
    expect(member.kill('SIGKILL')).toBe(true);
    const isGone = (): boolean => !isRunning(pid ?? 0);
    expect(await waitUntil(isGone, { timeoutMs: 5_000 })).toBe(true);
    await member.restart();
    expect(member.pid).not.toBe(pid);
    await mongo.waitForPrimary();
    expect(await open(mongo).countDocuments()).toBe(20);
  });

  it('hangs while it is stopped by a signal, and goes on afterwards', async () => {
    const mongo = await start(cleanup.makeFolder());
    const member = onlyMember(mongo);
    const kept = open(mongo);
    await kept.insertOne({ _id: 1 });
    member.kill('SIGSTOP');
    await expect(mongo.waitForPrimary(500)).rejects.toThrow('no primary');
    member.kill('SIGCONT');
    await mongo.waitForPrimary();
    expect(await kept.countDocuments()).toBe(1);
  });

  it('runs transactions, and fails commands on request', async () => {
    const mongo = await start(cleanup.makeFolder(), { enableTestCommands: true });
    const kept = open(mongo);
    await kept.insertOne({ _id: 1 });
    await kept.db.client.withSession((session) =>
      session.withTransaction(async () => {
        await kept.insertOne({ _id: 2 }, { session });
        await kept.deleteOne({ _id: 1 }, { session });
      }),
    );
    expect(await kept.find().toArray()).toEqual([{ _id: 2 }]);
    await kept.db.client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: { times: 1 },
      data: { failCommands: ['insert'], errorCode: 2 },
    });
    await expect(kept.insertOne({ _id: 3 })).rejects.toMatchObject({ code: 2 });
  });

  it('is not started again when it was stopped, though it would be after a crash', async () => {
    const crashLog = createMemoryLog();
    const folder = cleanup.makeFolder();
    const mongo = await start(folder, { restartOnCrash: true, log: crashLog });
    const member = onlyMember(mongo);
    const { pid } = member;
    member.kill('SIGKILL');
    const isBack = (): boolean => ![undefined, pid].includes(member.pid);
    expect(await waitUntil(isBack, { timeoutMs: 5_000 })).toBe(true);
    await mongo.waitForPrimary();
    await mongo.stop();
    expect(crashLog.lines).toEqual(['MongoDB: ended by signal SIGKILL, starts again in 250 ms']);
    expect(member.isRunning()).toBe(false);
    // In good order, the crash before notwithstanding.
    const serverLog = readFileSync(join(folder, 'member-0', 'server.log'), 'utf8');
    expect(serverLog.trimEnd().split('\n').at(-1)).toContain('"exitCode":0');
  });

  it('refuses data of a set of another size', async () => {
    const folder = cleanup.makeFolder();
    const first = await start(folder);
    await first.stop();
    await expect(start(folder, { members: 3 })).rejects.toThrow('made by a set of 1, not of 3');
  });
});
