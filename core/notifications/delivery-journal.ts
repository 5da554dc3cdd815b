import { LIMITS } from '../../config/limits.ts';
import { createGroup } from '../kernel/group.ts';
import { newToken } from '../kernel/ids.ts';
import type { Logger } from '../telemetry/logger.ts';
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
  readonly logger: Logger;
}

export function createDeliveryJournal({ deliveries, leaseMs, logger }: JournalDeps): Journal {
  const bounds = {
    sizeMax: LIMITS.deliveryGroupMax,
    inFlightMax: LIMITS.deliveryGroupsInFlightMax,
  };
  const claims = createGroup<DeliveryId, string | false>({
    ...bounds,
    run: async (ids) => {
      const owner = newToken();
      const free = new Set(await deliveries.claim({ ids: [...new Set(ids)], owner, leaseMs }));
      // Two jobs of one delivery may be in one group: the first has it.
      return ids.map((id) => free.delete(id) && owner);
    },
  });
  const writes = createGroup<DeliveryWrite, boolean>({
    ...bounds,
    run: async (all) => {
      const isComplete = await deliveries.write(all);
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
