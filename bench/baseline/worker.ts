import { type Job, Worker } from 'bullmq';
import { z } from 'zod';
import { parseEnv, redisUrls } from '../../config/env.ts';
import { openMongo } from '../../core/infra/mongo.ts';
import { openRedis } from '../../core/infra/redis.ts';
import { present } from '../../core/kernel/assert.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import { QUEUES, laneQueue, operationPayload } from '../../queues/catalog.ts';
import { createProviderClient } from './provider.ts';
import { BASELINE_CONCURRENCY, BASELINE_QUEUE, WEBHOOK_JOB, openBaselineQueue } from './queue.ts';
import { createSendWebhook } from './send-webhook.ts';
import { createSettlePayment } from './settle-payment.ts';
import { createSettleTransfer } from './settle-transfer.ts';

/** The worker that ours is measured against: one job each. Says `ready` once it listens. */
const env = parseEnv(process.env);
const workerId = `baseline-${process.pid}`;
const mongo = await openMongo({ url: env.MONGO_URL, database: env.MONGO_DB, appName: workerId });
const onError = (error: Error): void => console.error(String(error));
const url = redisUrls(env).queue;
const connection = openRedis({ url, name: 'baseline', whenAway: 'wait', onError });
const prefix = env.QUEUE_PREFIX;
const events = openBaselineQueue('events', { connection, prefix });
const concurrency = Number(process.env['BENCH_CONCURRENCY'] ?? BASELINE_CONCURRENCY);
const deps = { client: mongo.client, db: mongo.db, workerId };
const callProvider = createProviderClient(env.SANDBOX_URL ?? '');
const settleTransfer = createSettleTransfer(deps);
const settlePayment = createSettlePayment({ ...deps, concurrency, callProvider });
const sendWebhook = createSendWebhook(deps);
const spec = present(QUEUES.get(laneQueue(0)), 'a settlement queue');

const webhookPayload = z.object({ deliveryId: z.string() });

const settle = async (type: string, operationId: string): Promise<OutboxRow | undefined> =>
  type === 'transfer' ? settleTransfer(operationId) : settlePayment(operationId);

const work = async (job: Job): Promise<void> => {
  if (job.name === WEBHOOK_JOB) return sendWebhook(webhookPayload.parse(job.data).deliveryId);
  const row = await settle(job.name, operationPayload.parse(job.data).operationId);
  if (row === undefined) return;
  const data = { v: 1, rowId: row._id, tenantId: row.tenantId };
  await events.add('events', data, { jobId: row._id });
};
const worker = new Worker(BASELINE_QUEUE, work, {
  connection,
  prefix,
  concurrency,
  lockDuration: spec.lockDurationMs,
  stalledInterval: spec.stalledIntervalMs,
  maxStalledCount: spec.maxStalledCount,
  removeOnComplete: { ...spec.removeOnComplete },
  removeOnFail: { ...spec.removeOnFail },
});
worker.on('error', onError);
worker.on('failed', (_job, error) => console.error(`job failed: ${String(error)}`));
await worker.waitUntilReady();
console.log('ready');
process.on('SIGTERM', () => {
  const exit = (): void => process.exit(0);
  worker.close().then(exit, exit);
});
