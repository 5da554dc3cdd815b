import { SERVICE_CONFIG_LIMITS } from '../../config/service-config-limits.ts';
import { createHeldDeliveriesStore } from '../../core/notifications/delivery/held-deliveries-store.ts';
import { createHeldStore } from '../../core/operations/held-store.ts';
import type { ChangeNotice } from '../../core/service-config/change-notice.ts';
import type { Pause } from '../../core/service-config/pause.ts';
import { type PauseStore, createPauseStore } from '../../core/service-config/pause-store.ts';
import type { Platform } from '../../runtime/platform.ts';

/** What a pause holds back, counted up to a ceiling. */
export interface HeldCount {
  readonly operations: number;
  readonly deliveries: number;
}

/** What the endpoints about pauses work with. */
export interface PauseAdmin extends Pick<PauseStore, 'find' | 'list' | 'pause' | 'resume'> {
  active: PauseStore['active'];
  heldBy(pause: Pick<Pause, '_id'>): Promise<HeldCount>;
}

export function openPauseAdmin(
  { mongo }: Pick<Platform, 'mongo'>,
  notice: Pick<ChangeNotice, 'announce'>,
): PauseAdmin {
  const store = createPauseStore(mongo.db);
  const operations = createHeldStore(mongo.db);
  const deliveries = createHeldDeliveriesStore(mongo.db);
  const max = SERVICE_CONFIG_LIMITS.heldCountMax;
  return Object.freeze({
    active: () => store.active(),
    find: (id) => store.find(id),
    list: (query) => store.list(query),
    pause: async (request) => {
      const made = await store.pause(request);
      if (made.isNew) notice.announce();
      return made;
    },
    resume: async (request) => {
      const resumed = await store.resume(request);
      notice.announce();
      return resumed;
    },
    heldBy: async ({ _id }) => ({
      operations: await operations.count(_id, max),
      deliveries: await deliveries.count(_id, max),
    }),
  } satisfies PauseAdmin);
}
