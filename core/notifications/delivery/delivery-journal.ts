import { LIMITS } from '../../../config/limits.ts';
import { isPassing } from '../../infra/database-errors.ts';
import { fullJitterMs } from '../../kernel/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Failpoint } from '../../kernel/failpoint.ts';
import { createGroup } from '../../kernel/group.ts';
import { newToken } from '../../kernel/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import {
  type DeliveryId,
  type DeliveryInJob,
  type DeliveryJob,
  type DeliveryRef,
} from './delivery.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { DeliveryChange } from './delivery-write.ts';
import type { DeliveryPublisher } from './publisher.ts';
import { type ComingAgain, jobsOf } from './put-off.ts';

export interface Claim {
  readonly owner: string;
  /** By the monotonic clock: when it was asked for, and its lease had not begun yet. */
  readonly askedMs: number;
}

export interface JournalEntry {
  readonly delivery: DeliveryRef & { readonly resends?: number };
  readonly owner?: string;
  readonly change: DeliveryChange;
  /** Comes again in a job of its own. */
  readonly isAlone?: true;
}

/** Claims and journal writes of a moment go to the database together. */
export interface Journal {
  claim(id: DeliveryId): Promise<Claim | undefined>;
  /**
   * What another worker has taken over meanwhile is left alone, with a line in the log. What comes
   * again does so in a job that it shares with others of about the same time.
   */
  write(entry: JournalEntry): Promise<void>;
  /** Comes again, and nothing is written of it. */
  again(delivery: DeliveryInJob, delayMs: number): Promise<void>;
}

interface JournalDeps {
  readonly deliveries: DeliveryStore;
  readonly publisher: Pick<DeliveryPublisher, 'publishDeliveries'>;
  readonly leaseMs: number;
  readonly clock: Pick<Clock, 'sleep' | 'now' | 'monotonicMs'>;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'enqueueFailed'>;
}

export function createDeliveryJournal(deps: JournalDeps): Journal {
  const { deliveries, leaseMs, clock, logger, failpoint } = deps;
  const bounds = {
    sizeMax: LIMITS.deliveryGroupMax,
    inFlightMax: LIMITS.deliveryGroupsInFlightMax,
  };
  const claims = createGroup<DeliveryId, Claim | false>({
    ...bounds,
    paceMs: LIMITS.deliveryClaimPaceMs,
    run: async (ids) => {
      const owner = newToken();
      const askedMs = clock.monotonicMs();
      const claim = { ids: [...new Set(ids)], owner, leaseMs };
      const free = new Set(await patiently(deps, () => deliveries.claim(claim)));
      // Two jobs of one delivery may be in one group: the first has it.
      return ids.map((id) => free.delete(id) && { owner, askedMs });
    },
  });
  const writes = createGroup<JournalEntry, boolean>({
    ...bounds,
    paceMs: LIMITS.deliveryWritePaceMs,
    run: async (all) => {
      const jobs = jobsOf(all.flatMap(comingAgain));
      const records = all.map(({ delivery, owner, change }) => {
        const job = jobs.get(delivery._id);
        return {
          id: delivery._id,
          change: job === undefined ? change : { ...change, delayMs: job.delayMs },
          ...(job !== undefined && { jobId: job.jobId }),
          ...(owner !== undefined && { owner }),
          ...(delivery.resends !== undefined && { resends: delivery.resends }),
        };
      });
      const isComplete = await patiently(deps, () => deliveries.write(records));
      if (!isComplete) logger.warn({ writes: all.length }, 'delivery.journal.missed');
      if (jobs.size > 0) {
        await failpoint('notify.before-requeue');
        await publish(deps, all, jobs);
      }
      return all.map(() => isComplete);
    },
  });
  const returns = createGroup<ComingAgain, true>({
    ...bounds,
    paceMs: LIMITS.deliveryWritePaceMs,
    run: async (all) => {
      await publish(deps, all, jobsOf(all));
      return all.map(() => true as const);
    },
  });
  return Object.freeze({
    claim: async (id: DeliveryId) => {
      const claim = await claims.add(id);
      return claim === false ? undefined : claim;
    },
    write: async (entry: JournalEntry) => {
      await writes.add(entry);
    },
    again: async (delivery: DeliveryInJob, delayMs: number) => {
      await returns.add({ delivery, delayMs });
    },
  });
}

function comingAgain({ delivery, change, isAlone }: JournalEntry): readonly ComingAgain[] {
  if (change.kind !== 'pending') return [];
  return [{ delivery, delayMs: change.delayMs, ...(isAlone === true && { isAlone }) }];
}

/** What Redis does not take is found by recovery. */
async function publish(
  { publisher, clock, logger, metrics }: JournalDeps,
  all: readonly { readonly delivery: DeliveryInJob }[],
  jobs: ReturnType<typeof jobsOf>,
): Promise<void> {
  const nowMs = clock.now();
  const due = all.flatMap(({ delivery }): readonly DeliveryJob[] => {
    const job = jobs.get(delivery._id);
    if (job === undefined) return [];
    const notBefore = new Date(nowMs + job.delayMs);
    const { _id: deliveryId, channel, seq } = delivery;
    return [{ deliveryId, channel, seq, tenantId: '', jobId: job.jobId, notBefore }];
  });
  try {
    await publisher.publishDeliveries(due);
  } catch (err) {
    logger.warn({ err, deliveries: due.length }, 'deliveries.enqueue.failed');
    metrics.enqueueFailed.inc({ queue: 'notify' }, due.length);
  }
}

/** Together well under the margin that a lease leaves for the journal. */
const TRIES_MAX = 4;
const PAUSE = { baseMs: 50, capMs: 500 } as const;

/**
 * A lost answer is asked for again: by its owner a claim finds what it has claimed, and a write that
 * has landed only misses. Otherwise what was sent would count as interrupted, and what must not
 * arrive twice would end as uncertain without ever having left.
 */
async function patiently<T>(
  { clock, random }: Pick<JournalDeps, 'clock' | 'random'>,
  run: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isPassing(error) || tries >= TRIES_MAX) throw error;
      await clock.sleep(fullJitterMs(tries, { ...PAUSE, random }));
    }
  }
}
