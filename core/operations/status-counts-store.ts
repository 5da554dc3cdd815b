import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import type { Clock } from '../kernel/clock.ts';
import type { OperationDoc } from './operation.ts';
import type { OperationStatus } from './status.ts';

/** What somebody on call asks for: work under way, and what waits for a time, an answer or a human. */
const COUNTED = ['waiting', 'running', 'compensating', 'needs_attention'] as const;

export type StatusCounts = Readonly<Partial<Record<OperationStatus, number>>>;

/** Above this a number says no more than "very many". */
const COUNT_MAX = 100_000;
const FRESH_MS = 5_000;

/**
 * How many operations are in which status, of all tenants. Counted in an index that what merely waits
 * for its settlement never enters, and no more often than every few seconds, whoever asks.
 */
export function createStatusCounts(
  db: Db,
  clock: Pick<Clock, 'monotonicMs'>,
): () => Promise<StatusCounts> {
  const operations = collection<OperationDoc>(db, 'operations');
  const countOf = (status: OperationStatus): Promise<number> =>
    operations.countDocuments(
      { status },
      {
        hint: { status: 1, tenantId: 1, _id: -1 },
        limit: COUNT_MAX,
        maxTimeMS: LIMITS.listMaxTimeMs,
        readPreference: 'secondaryPreferred',
      },
    );
  let latest: { readonly atMs: number; readonly counts: Promise<StatusCounts> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (latest === undefined || nowMs - latest.atMs > FRESH_MS) {
      const counts = Promise.all(
        COUNTED.map(async (status) => [status, await countOf(status)] as const),
      ).then((rows): StatusCounts => Object.fromEntries(rows));
      latest = { atMs: nowMs, counts };
    }
    return latest.counts;
  };
}
