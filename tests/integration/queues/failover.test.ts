import { Queue, Worker } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeRedis, openRedis } from '../../../core/infra/redis.ts';
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { type OwnRedis, startOwnRedis } from '../../support/redis-server.ts';
import { until } from '../../support/wait.ts';

const portOf = ({ url }: OwnRedis): number => Number(new URL(url).port);

async function ownRedis(): Promise<OwnRedis> {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  return redis;
}

describe('a Redis that becomes a replica and keeps its connections', () => {
  it('is left for the one that writes: by commands, by the queues and by their workers', async () => {
    const [old, fresh] = [await ownRedis(), await ownRedis()];
    const proxy = await startTcpProxy({ port: portOf(old) });
    onTestFinished(() => proxy.close());
    const open = (name: string, whenAway: 'wait' | 'fail') => {
      const url = `redis://127.0.0.1:${proxy.port}`;
      const client = openRedis({ url, name, whenAway, onError: () => undefined });
      onTestFinished(() => closeRedis(client));
      return client;
    };
    const [jobs, adding, hasty] = [
      open('jobs', 'wait'),
      open('adding', 'fail'),
      open('hasty', 'fail'),
    ];
    const done: string[] = [];
    const queue = new Queue('work', { connection: adding, prefix: 'test' });
    const work = async ({ name }: { name: string }): Promise<void> => {
      done.push(name);
      return Promise.resolve();
    };
    const worker = new Worker('work', work, { connection: jobs, prefix: 'test' });
    worker.on('error', () => undefined);
    queue.on('error', () => undefined);
    onTestFinished(async () => {
      await worker.close(true);
      await queue.close();
    });
    const adds = (name: string): Promise<boolean> =>
      queue.add(name, {}, { jobId: name }).then(
        () => true,
        () => false,
      );
    await until(() => adds('before'), 'the job before is added');
    await until(() => done.includes('before'), 'the job before is done');
    proxy.retarget({ port: portOf(fresh) });
    await old.client.replicaof('127.0.0.1', String(portOf(fresh)));
    await until(() => adds('after'), 'the job after is added');
    await until(() => done.includes('after'), 'the job after is done');
    await until(
      () =>
        hasty.set('key', 'value').then(
          () => true,
          () => false,
        ),
      'a single command is written',
    );
    expect(await fresh.client.get('key')).toBe('value');
  }, 60_000);
});
