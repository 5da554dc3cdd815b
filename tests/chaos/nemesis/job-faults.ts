import { type Job, Queue } from 'bullmq';
import type { Cluster } from '../cluster/cluster.ts';
import type { FaultKind, Strike } from './fault-kind.ts';

const MONEY = ['saga', ...Array.from({ length: 8 }, (_, lane) => `settlement-${String(lane)}`)];
const COPIES = 5;
const JOBS_MAX = 40;

async function withQueue<T>(
  cluster: Cluster,
  name: string,
  work: (queue: Queue) => Promise<T>,
): Promise<T> {
  const { server } = cluster.redis.queue;
  const queue = new Queue(name, {
    connection: { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: 1 },
    prefix: cluster.queuePrefix,
  });
  queue.on('error', () => undefined); // said by the call
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

/** Jobs of all states, once more under other ids. */
async function duplicate(cluster: Cluster): Promise<Strike> {
  let copies = 0;
  for (const name of MONEY) {
    await withQueue(cluster, name, async (queue) => {
      const jobs: Job[] = await queue.getJobs(
        ['completed', 'wait', 'active', 'delayed'],
        0,
        JOBS_MAX,
      );
      const again = jobs.flatMap(({ name: type, data }) =>
        Array.from({ length: COPIES }, () => ({ name: type, data: data as unknown })),
      );
      await queue.addBulk(again);
      copies += again.length;
    }).catch(() => undefined); // it may be away: another fault's doing
  }
  return { strikes: () => copies, heal: async () => undefined };
}

const NONSENSE: readonly unknown[] = [
  {},
  { v: 99 },
  {
    v: 1,
    operationId: 'op_00000000000000000000000000000000',
    tenantId: 'default',
    seq: 1,
    trace: { correlationId: 'x' },
  },
];

async function poison(cluster: Cluster): Promise<Strike> {
  let added = 0;
  for (const name of MONEY) {
    await withQueue(cluster, name, async (queue) => {
      for (const data of NONSENSE) {
        await queue.add('nonsense', data, { attempts: 2, backoff: 200 });
        added += 1;
      }
    }).catch(() => undefined); // as above
  }
  return { strikes: () => added, heal: async () => undefined };
}

export const JOB_FAULTS: readonly FaultKind[] = [
  {
    name: 'duplicate-jobs',
    summary: 'jobs of money queues, finished ones too, are added five times more',
    covers: ['F21', 'F22'],
    targets: ['all'],
    claims: () => ['redis-queue'],
    seconds: [1, 2],
    strike: ({ cluster }) => duplicate(cluster),
  },
  {
    name: 'poison-jobs',
    summary: 'jobs that make no sense',
    covers: ['F23'],
    targets: ['all'],
    claims: () => ['redis-queue'],
    seconds: [1, 2],
    strike: ({ cluster }) => poison(cluster),
  },
];
