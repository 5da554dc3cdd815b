import { type ConnectionOptions, type Job, Worker } from 'bullmq';
import { LIMITS } from '../config/limits.ts';
import { present } from '../core/kernel/assert.ts';
import { startTicker, withTimeout } from '../core/kernel/clock.ts';
import type { DeliveryEngine } from '../core/notifications/delivery/engine.ts';
import type { Admission } from '../core/notifications/admission/admission.ts';
import type { DeliveryId } from '../core/notifications/delivery/delivery.ts';
import type { Channel } from '../core/notifications/ports.ts';
import type { Platform } from '../runtime/platform.ts';
import { deliveriesOf, deliveryPayload, notifyQueue, queueSpecOf } from '../queues/catalog.ts';
import type { Pool } from './pool.ts';

interface DeliveryPoolOptions {
  readonly platform: Platform;
  readonly connection: ConnectionOptions;
  readonly channel: Channel;
  readonly engine: DeliveryEngine;
  readonly admission: Pick<Admission, 'standing'>;
}

/**
 * Jobs that stand for several deliveries. What is counted is deliveries: more are fetched while few of
 * those in hand are about to be sent, so that one slow target holds up its own and nobody else's. A
 * job ends with its last delivery; what must come again has another one by then.
 */
export function startDeliveryPool(options: DeliveryPoolOptions): Pick<Pool, 'close'> {
  const { platform, channel, admission } = options;
  const { clock, logger, processId } = platform;
  const queue = notifyQueue(channel);
  const spec = present(queueSpecOf(queue), `queue ${queue} of the catalogue`);
  const worker = openWorker(options);
  const underWay = new Map<Job, { readonly token: string; readonly done: Promise<void> }>();
  const hand = { count: 0 };
  const stopping = new AbortController();
  const tuning = platform.settings.view((all) => ({
    max: all.read('delivery.handMax', { channel }),
    readyMin: all.read('delivery.readyMin', { channel }),
  }));
  let fetched = 0;

  const hasRoom = (): boolean => {
    if (hand.count >= tuning.now.max) return false;
    const { all, soon } = admission.standing(channel);
    return hand.count - all + soon < tuning.now.readyMin;
  };
  const fetch = async (): Promise<void> => {
    fetched += 1;
    const token = `${processId}:${String(fetched)}`;
    const job: Job | undefined = await worker.getNextJob(token);
    if (job === undefined) return;
    const done = workOn(options, { job, token, hand }).finally(() => underWay.delete(job));
    underWay.set(job, { token, done });
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (!hasRoom()) {
        await clock.sleep(LIMITS.deliveryFetchMs, stopping.signal);
        continue;
      }
      try {
        await fetch();
      } catch (err) {
        if (stopping.signal.aborted) return;
        logger.debug({ err, queue }, 'worker.redis.error');
        await clock.sleep(LIMITS.deliveryTroubleMs, stopping.signal);
      }
    }
  };
  const renewing = startTicker({
    intervalMs: spec.lockDurationMs / 3,
    clock,
    onError: (err) => {
      logger.debug({ err, queue }, 'worker.redis.error');
    },
    run: async () => {
      const ids = [...underWay.keys()].map(({ id = '' }) => id);
      const tokens = [...underWay.values()].map(({ token }) => token);
      if (ids.length > 0) await worker.extendJobLocks(ids, tokens, spec.lockDurationMs);
    },
  });
  const running = loop();
  worker.startStalledCheckTimer().catch((err: unknown) => {
    logger.debug({ err, queue }, 'worker.redis.error');
  });

  const drain = async (): Promise<void> => {
    await Promise.all([...underWay.values()].map(({ done }) => done));
    await Promise.all([renewing.stop(), worker.close()]);
    await running;
  };
  return {
    close: async () => {
      stopping.abort();
      await withTimeout(
        drain(),
        LIMITS.drainDeadlineMs,
        () => new Error(`the jobs of ${queue} did not finish in time`),
      ).catch(async (err: unknown) => {
        logger.warn({ err, queue }, 'worker.close.forced');
        await worker.close(true);
      });
    },
  };
}

function openWorker({ platform, connection, channel }: DeliveryPoolOptions): Worker {
  const { env, processId, logger } = platform;
  const queue = notifyQueue(channel);
  const spec = present(queueSpecOf(queue), `queue ${queue} of the catalogue`);
  const worker = new Worker(queue, undefined, {
    connection,
    prefix: env.QUEUE_PREFIX,
    lockDuration: spec.lockDurationMs,
    stalledInterval: spec.stalledIntervalMs,
    maxStalledCount: spec.maxStalledCount,
    removeOnComplete: { ...spec.removeOnComplete },
    removeOnFail: { ...spec.removeOnFail },
    name: processId,
  });
  worker.on('error', (err) => {
    logger.debug({ err, queue }, 'worker.redis.error');
  });
  return worker;
}

interface InHand {
  readonly job: Job;
  readonly token: string;
  readonly hand: { count: number };
}

/** Does not reject: what Redis does not hear of is found stalled, and has nothing left to do. */
async function workOn(
  { platform, channel, engine }: DeliveryPoolOptions,
  { job, token, hand }: InHand,
): Promise<void> {
  const { logger } = platform;
  const parsed = deliveryPayload.safeParse(job.data);
  try {
    if (!parsed.success) {
      const { issues } = parsed.error;
      logger.error({ jobId: job.id, channel, issues }, 'job.malformed');
      await job.moveToFailed(new Error('malformed job payload'), token, false);
      return;
    }
    const items = deliveriesOf(parsed.data);
    hand.count += items.length;
    await Promise.all(
      items.map(async ({ deliveryId, seq }) => {
        const _id = deliveryId as DeliveryId; // its schema says so
        try {
          await engine.run({ _id, channel, seq }, job.id ?? '');
        } finally {
          hand.count -= 1;
        }
      }),
    );
    await job.moveToCompleted(undefined, token, false);
  } catch (err) {
    logger.debug({ err, channel, jobId: job.id }, 'job.end.unheard');
  }
}
