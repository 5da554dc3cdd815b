import { LIMITS } from '../../../config/limits.ts';
import type { DatabaseTime } from '../../infra/database-clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { timeKeyOf } from '../../kernel/time-order.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type DeliveryDoc, isFinal, jobOfDelivery } from './delivery.ts';
import type { DeliveryFilter, DeliveryReads } from './delivery-reads-store.ts';
import type { DeliveryPublisher } from './publisher.ts';
import type { RepeatStore, Replay } from './repeat-store.ts';

interface ReplayRequest {
  readonly dryRun: boolean;
  /** Only what is behind this place of the list. */
  readonly after?: string;
  readonly key?: string;
}

/** Whether it is the answer to a request that was made before. */
interface Repeatable<T> {
  readonly result: T;
  readonly isRepeat: boolean;
}

/** Sending again what was sent, or what was given up; under a key, once however often asked. */
export interface DeliveryAdmin {
  /**
   * @throws AppError `not_found`, `illegal_state` while it is still under way, or
   *   `idempotency_conflict`.
   */
  resend(id: string, key?: string): Promise<Repeatable<DeliveryDoc>>;
  /** @throws AppError `idempotency_conflict`. */
  replay(filter: DeliveryFilter, request: ReplayRequest): Promise<Repeatable<Replay>>;
}

interface AdminDeps {
  readonly deliveries: DeliveryReads;
  readonly publisher: DeliveryPublisher;
  readonly repeats: RepeatStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly logger: Logger;
  /** One request replays as many; a multiple of a page. */
  readonly replayMax?: number;
}

const CHUNK = 500;

export function createDeliveryAdmin(deps: AdminDeps): DeliveryAdmin {
  const { deliveries, publisher, repeats, databaseTime, logger } = deps;
  const { replayMax: max = LIMITS.replayMax } = deps;
  /** One that a person waits for goes before what waits, a replay of thousands behind it. */
  const enqueue = async (rearmed: readonly DeliveryDoc[], isUrgent = false): Promise<void> => {
    const urgent = isUrgent ? { isUrgent: true as const } : {};
    try {
      await publisher.publishDeliveries(
        rearmed.map((one) => ({ ...jobOfDelivery(one), ...urgent })),
      );
    } catch (err) {
      logger.warn({ err, deliveries: rearmed.length }, 'deliveries.enqueue.failed'); // R11
    }
  };
  const known = async (kind: 'resend' | 'replay', key: string | undefined, request: string) =>
    key === undefined
      ? undefined
      : repeats.open({ kind, key, request, now: (await databaseTime()).now });

  /** What an earlier try of the same request has set back already is left alone. */
  const replayAll = async (
    filter: DeliveryFilter,
    first: string | undefined,
    token: string | undefined,
  ): Promise<Replay> => {
    let after = first;
    let replayed = 0;
    let seen = 0;
    while (seen < max) {
      const page = await deliveries.list(filter, {
        limit: CHUNK,
        ...(after !== undefined && { after }),
      });
      const last = page.at(-1);
      if (last === undefined) return { matched: seen, replayed, isComplete: true };
      after = timeKeyOf(last);
      seen += page.length;
      const rearmed = await deliveries.rearm(
        page.map(({ _id }) => _id),
        token,
      );
      await enqueue(rearmed);
      replayed += rearmed.length;
      if (page.length < CHUNK) return { matched: seen, replayed, isComplete: true };
    }
    return { matched: seen, replayed, isComplete: false, ...(after !== undefined && { after }) };
  };

  return Object.freeze({
    resend: async (id: string, key?: string) => {
      const delivery = await deliveries.find(id);
      if (delivery === undefined) throw new AppError('not_found', 'There is no such delivery');
      const asked = await known('resend', key, id);
      if (asked !== undefined && delivery.resendTokens?.includes(asked.token) === true) {
        return { result: delivery, isRepeat: true };
      }
      if (!isFinal(delivery.status)) {
        throw new AppError('illegal_state', `The delivery is ${delivery.status}: it is under way`);
      }
      await enqueue(await deliveries.rearm([delivery._id], asked?.token), true);
      return { result: (await deliveries.find(id)) ?? delivery, isRepeat: false };
    },
    replay: async (filter: DeliveryFilter, { dryRun, after, key }: ReplayRequest) => {
      if (dryRun) {
        const matched = await deliveries.count(filter, max + 1, after);
        return { result: { matched, replayed: 0, isComplete: matched <= max }, isRepeat: false };
      }
      const asked = await known('replay', key, JSON.stringify({ filter, after }));
      if (asked?.reply !== undefined) return { result: asked.reply, isRepeat: true };
      const result = await replayAll(filter, after, asked?.token);
      if (asked !== undefined) await repeats.close(asked.token, result);
      return { result, isRepeat: false };
    },
  } satisfies DeliveryAdmin);
}
