import { LIMITS } from '../../config/limits.ts';
import { jobOf } from '../operations/ingest.ts';
import type { JobPublisher, OutboxRow } from '../saga/ports.ts';
import type { OperationDoc } from '../saga/operation.ts';

export interface RedispatchStore {
  /** Open operations that a job should stand for, by id, after one; each page in one query. */
  openAfter(id: string | undefined, limit: number): Promise<readonly OperationDoc[]>;
  /** `seq + 1` by compare-and-set; only what this call moved. */
  renumber(operations: readonly OperationDoc[]): Promise<readonly OperationDoc[]>;
  outboxAfter(
    id: string | undefined,
    limit: number,
  ): Promise<readonly Pick<OutboxRow, '_id' | 'tenantId'>[]>;
}

export interface RedispatchReport {
  readonly operations: number;
  readonly events: number;
}

/**
 * Rebuilds an empty Redis out of MongoDB: a job for every operation that has something to do, and
 * for every event that nobody has dealt with. What waits for its time has no job; what is being
 * worked on by a live claim keeps its own. Harmless at any moment, and as often as one likes.
 */
export async function redispatchAll(
  store: RedispatchStore,
  publisher: JobPublisher,
): Promise<RedispatchReport> {
  let operations = 0;
  let after: string | undefined;
  for (;;) {
    const page = await store.openAfter(after, LIMITS.sweepBatch);
    after = page.at(-1)?._id;
    if (after === undefined) break;
    const moved = await store.renumber(page);
    if (moved.length > 0) await publisher.publishOperations(moved.map(jobOf));
    operations += moved.length;
  }
  let events = 0;
  after = undefined;
  for (;;) {
    const rows = await store.outboxAfter(after, LIMITS.sweepBatch);
    after = rows.at(-1)?._id;
    if (after === undefined) break;
    await publisher.publishEvents(rows);
    events += rows.length;
  }
  return { operations, events };
}
