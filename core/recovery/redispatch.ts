import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import { type OperationHead, jobOf } from '../operations/operation.ts';
import type { JobPublisher, Schedules } from '../operations/ports.ts';
import type { OutboxHead, OutboxStore } from '../events/outbox-store.ts';
import type { RedispatchStore } from '../operations/redispatch-store.ts';
import { isQueueAway } from './sweep.ts';

export interface RedispatchReport {
  /** Open operations looked at. */
  readonly operations: number;
  /** Of these, enqueued again; the others have a job. */
  readonly enqueued: number;
  /** Outbox rows handed over; what is queued already stays as it is. */
  readonly events: number;
  /** Job schedulers that were missing. */
  readonly schedules: number;
}

export interface RedispatchDeps {
  readonly store: RedispatchStore;
  readonly outbox: Pick<OutboxStore, 'after'>;
  readonly publisher: JobPublisher;
  readonly schedules: Schedules;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (report: RedispatchReport) => void;
}

/** A Redis that has just come back may still be loading. */
const TRIES_MAX = 20;
const PAUSE_MS = 1_500;

/**
 * Rebuilds an empty Redis out of MongoDB: a job for every operation that has something to do and
 * none that stands for it, and for every event that nobody has dealt with. What waits for its time
 * has no job; what a live claim works on keeps its own. Harmless at any moment, and as often as one
 * likes.
 *
 * @throws AppError `queue_unavailable` when Redis stays away; what was done until then is done.
 */
export async function redispatchAll(deps: RedispatchDeps): Promise<RedispatchReport> {
  const { store, outbox, publisher, schedules, onProgress } = deps;
  let report: RedispatchReport = { operations: 0, enqueued: 0, events: 0, schedules: 0 };
  const count = (change: Partial<RedispatchReport>): void => {
    report = { ...report, ...change };
    onProgress(report);
  };
  count({ schedules: await patiently(deps, () => schedules.ensure()) });
  await eachPage(
    deps,
    (after: OperationHead | undefined) => store.openAfter(after, LIMITS.sweepBatch),
    async ({ operations: page }) => {
      const presence = await patiently(deps, () => publisher.findJobs(page.map(jobOf)));
      const lost = page.filter((_operation, index) => presence[index] !== 'queued');
      const moved = await store.renumber(lost);
      if (moved.length > 0) {
        await patiently(deps, () => publisher.publishOperations(moved.map(jobOf)));
      }
      count({
        operations: report.operations + page.length,
        enqueued: report.enqueued + moved.length,
      });
    },
  );
  await eachPage(
    deps,
    async (after: OutboxHead | undefined) => {
      const rows = await outbox.after(after?._id, LIMITS.sweepBatch);
      return { rows, last: rows.at(-1) };
    },
    async ({ rows }) => {
      await patiently(deps, () => publisher.republishEvents(rows));
      count({ events: report.events + rows.length });
    },
  );
  return report;
}

async function eachPage<T, P extends { readonly last: T | undefined }>(
  { signal }: RedispatchDeps,
  read: (after: T | undefined) => Promise<P>,
  work: (page: P) => Promise<void>,
): Promise<void> {
  let after: T | undefined;
  for (;;) {
    signal.throwIfAborted();
    const page = await read(after);
    after = page.last;
    if (after === undefined) return;
    await work(page);
  }
}

async function patiently<T>(deps: RedispatchDeps, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    deps.signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isQueueAway(error) || tries >= TRIES_MAX) throw error;
      await deps.clock.sleep(PAUSE_MS, deps.signal);
    }
  }
}
