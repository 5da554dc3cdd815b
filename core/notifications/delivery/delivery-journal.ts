import { LIMITS } from '../../../config/limits.ts';
import { isPassing } from '../../infra/database-errors.ts';
import { fullJitterMs } from '../../kernel/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import { createGroup } from '../../kernel/group.ts';
import { newToken } from '../../kernel/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { DeliveryId } from './delivery.ts';
import type { DeliveryStore, DeliveryWrite } from './delivery-store.ts';

/** Claims and journal writes of a moment go to the database together. */
export interface Journal {
  claim(id: DeliveryId): Promise<string | undefined>;
  /** What another worker has taken over meanwhile is left alone, with a line in the log. */
  write(write: DeliveryWrite): Promise<void>;
}

interface JournalDeps {
  readonly deliveries: DeliveryStore;
  readonly leaseMs: number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: () => number;
  readonly logger: Logger;
}

export function createDeliveryJournal(deps: JournalDeps): Journal {
  const { deliveries, leaseMs, logger } = deps;
  const bounds = {
    sizeMax: LIMITS.deliveryGroupMax,
    inFlightMax: LIMITS.deliveryGroupsInFlightMax,
  };
  const claims = createGroup<DeliveryId, string | false>({
    ...bounds,
    run: async (ids) => {
      const owner = newToken();
      const claim = { ids: [...new Set(ids)], owner, leaseMs };
      const free = new Set(await patiently(deps, () => deliveries.claim(claim)));
      // Two jobs of one delivery may be in one group: the first has it.
      return ids.map((id) => free.delete(id) && owner);
    },
  });
  const writes = createGroup<DeliveryWrite, boolean>({
    ...bounds,
    run: async (all) => {
      const isComplete = await patiently(deps, () => deliveries.write(all));
      if (!isComplete) logger.warn({ writes: all.length }, 'delivery.journal.missed');
      return all.map(() => isComplete);
    },
  });
  return Object.freeze({
    claim: async (id: DeliveryId) => {
      const owner = await claims.add(id);
      return owner === false ? undefined : owner;
    },
    write: async (write: DeliveryWrite) => {
      await writes.add(write);
    },
  });
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
