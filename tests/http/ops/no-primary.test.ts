import { describe, expect, it, onTestFinished } from 'vitest';
import { openTestDatabase } from '../../support/database.ts';
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { until } from '../../support/wait.ts';
import { spawnWorker } from '../../support/worker-process.ts';

const LINE = /process\.waits-for-mongodb/g;

describe('a process that starts without a primary', () => {
  it('says so in one line, waits, and starts when there is one', async () => {
    const database = await openTestDatabase();
    const [host] = new URL(database.mongoUrl).host.split(',');
    const proxy = await startTcpProxy({ port: Number(new URL(`http://${String(host)}`).port) });
    onTestFinished(() => proxy.close());
    proxy.break('cut');
    const mongoUrl = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const worker = spawnWorker({ ...database, mongoUrl });
    await until(() => LINE.test(worker.output()), 'it says that it waits', 30_000);
    proxy.heal();
    await until(() => worker.output().includes('worker.started'), 'it starts', 30_000);
    expect(worker.output().match(LINE)).toHaveLength(1);
    expect(worker.output()).not.toMatch(/^\s+at .*\(/m);
    await worker.stop();
    expect(await worker.ended).toBe(0);
  }, 90_000);
});
