import { LIMITS } from '../../config/limits.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type DeliveryDoc, isFinal, jobOfDelivery } from './delivery.ts';
import type { DeliveryFilter, DeliveryReads } from './delivery-reads-store.ts';
import type { DeliveryPublisher } from './publisher.ts';

export interface Replay {
  readonly matched: number;
  readonly replayed: number;
  /** False: there are more than one request replays; ask again. */
  readonly isComplete: boolean;
}

/** Sending again what was sent, or what was given up. */
export interface DeliveryAdmin {
  /** @throws AppError `not_found`, or `illegal_state` while it is still under way. */
  resend(id: string): Promise<DeliveryDoc>;
  replay(filter: DeliveryFilter, options: { readonly dryRun: boolean }): Promise<Replay>;
}

interface AdminDeps {
  readonly deliveries: DeliveryReads;
  readonly publisher: DeliveryPublisher;
  readonly logger: Logger;
}

const CHUNK = 500;

export function createDeliveryAdmin({ deliveries, publisher, logger }: AdminDeps): DeliveryAdmin {
  const enqueue = async (rearmed: readonly DeliveryDoc[]): Promise<void> => {
    try {
      await publisher.publishDeliveries(rearmed.map(jobOfDelivery));
    } catch (err) {
      logger.warn({ err, deliveries: rearmed.length }, 'deliveries.enqueue.failed'); // R11
    }
  };
  return Object.freeze({
    resend: async (id: string) => {
      const delivery = await deliveries.find(id);
      if (delivery === undefined) throw new AppError('not_found', 'There is no such delivery');
      if (!isFinal(delivery.status)) {
        throw new AppError('illegal_state', `The delivery is ${delivery.status}: it is under way`);
      }
      await enqueue(await deliveries.rearm([delivery._id]));
      return (await deliveries.find(id)) ?? delivery;
    },
    replay: async (filter: DeliveryFilter, { dryRun }: { readonly dryRun: boolean }) => {
      const max = LIMITS.replayMax;
      if (dryRun) {
        const matched = await deliveries.count(filter, max + 1);
        return { matched, replayed: 0, isComplete: matched <= max };
      }
      let replayed = 0;
      let after: string | undefined;
      while (replayed < max) {
        const page = await deliveries.list(filter, {
          limit: CHUNK,
          ...(after !== undefined && { after }),
        });
        const last = page.at(-1);
        if (last === undefined) return { matched: replayed, replayed, isComplete: true };
        after = last._id;
        const rearmed = await deliveries.rearm(page.map(({ _id }) => _id));
        await enqueue(rearmed);
        replayed += rearmed.length;
        if (page.length < CHUNK) return { matched: replayed, replayed, isComplete: true };
      }
      return { matched: replayed, replayed, isComplete: false };
    },
  } satisfies DeliveryAdmin);
}
