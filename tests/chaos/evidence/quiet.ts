import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { BalanceReading, QueueState, WalletRow } from '../checker/evidence.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Client } from '../workload/client.ts';
import { noneFails } from '../../../core/kernel/every.ts';

/** What is looked at once everything should have come to rest. */
const QUEUES = [
  'saga',
  'events',
  ...Array.from({ length: 8 }, (_, lane) => `settlement-${String(lane)}`),
  ...['email', 'sms', 'push', 'webhook', 'realtime'].map((channel) => `notify-${channel}`),
];
const FAILED_MAX = 500;

const LOOK_EVERY_MS = 1_000;

/** What a dead worker had in its hands comes back within the lock of the job. */
export async function watchQueues(cluster: Cluster, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const queues = await readQueues(cluster);
    const isQuiet = noneFails(queues, ({ active, waiting }) => active + waiting === 0);
    if (isQuiet || performance.now() > deadlineMs) return;
    await sleep(LOOK_EVERY_MS);
  }
}

export async function readQueues(cluster: Cluster): Promise<readonly QueueState[]> {
  const connection = { host: '127.0.0.1', port: cluster.redis.queue.server.port };
  return Promise.all(
    QUEUES.map(async (name) => {
      const queue = new Queue(name, { connection, prefix: cluster.queuePrefix });
      try {
        const counts = await queue.getJobCounts('active', 'waiting', 'delayed', 'failed');
        const failed = await queue.getJobs(['failed'], 0, FAILED_MAX);
        return {
          queue: name,
          active: counts['active'] ?? 0,
          waiting: counts['waiting'] ?? 0,
          delayed: counts['delayed'] ?? 0,
          failed: counts['failed'] ?? 0,
          failedOperations: failed.flatMap(({ data }) => operationsOf(data)),
        };
      } finally {
        await queue.close();
      }
    }),
  );
}

interface Payload {
  readonly operationId?: string;
  readonly operations?: readonly { readonly operationId?: string }[];
}

function operationsOf(data: unknown): readonly string[] {
  const { operationId, operations = [] } = (data ?? {}) as Payload;
  return [operationId, ...operations.map((one) => one.operationId)].flatMap((id) => id ?? []);
}

const NO_ANSWER = { status: 0, body: {} };

interface Balance {
  readonly balance?: string;
}

/** Balances as every API serves them, beside what is stored. */
export async function readBalances(
  cluster: Cluster,
  client: Client,
  wallets: readonly WalletRow[],
): Promise<readonly BalanceReading[]> {
  const readings: BalanceReading[] = [];
  for (const [api, { name }] of cluster.apiUrls.entries()) {
    for (const wallet of wallets) {
      const path = `/v1/wallets/${wallet.id}/balance`;
      const { status, body } = await client.get(path, api).catch(() => NO_ANSWER);
      const { balance } = body as Balance;
      const served = status === 200 ? (balance ?? 'nothing') : `status ${String(status)}`;
      readings.push({ walletId: wallet.id, api: name, served, stored: String(wallet.balance) });
    }
  }
  return readings;
}
