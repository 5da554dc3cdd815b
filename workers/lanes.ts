import { LIMITS } from '../config/limits.ts';
import type { LeaseStore, LiveWorker, WorkerRoster } from '../core/infra/lease-store.ts';
import { startTicker } from '../core/kernel/clock.ts';
import { supervise } from '../core/kernel/supervise.ts';
import type { Platform } from '../runtime/platform.ts';
import { FIRST_LAYOUT } from '../core/operations/lane-layout.ts';
import type { Layouts } from '../core/operations/layouts.ts';

/** Which lanes this process consumes. Every lane has one consumer; the load is spread evenly. */
export interface Lanes {
  readonly held: () => readonly number[];
  /** This process's place among the live ones: spreads the stripes of the system wallets. */
  readonly rank: () => number;
  /** How many processes settle. */
  readonly count: () => number;
  close(): Promise<void>;
}

interface LanesOptions {
  readonly platform: Platform;
  readonly leases: LeaseStore;
  readonly roster: WorkerRoster;
  readonly layouts: Pick<Layouts, 'refresh'>;
  /** Starts consuming a lane, whose last owner may have died; returns how to stop. */
  readonly open: (lane: number, hasLapsed: boolean) => Promise<{ close(): Promise<void> }>;
}

const POOL = 'settlement';

/**
 * Every few seconds: say that we live, count who else does, renew our leases, give back what is
 * above our share, take what is free up to it. A process that dies loses its lanes when the leases
 * run out. Two consumers of a lane for a moment cost conflicts, not correctness.
 *
 * How many lanes there are to share is the most that the settings of any live process or anything
 * that is still open asks for: processes whose settings differ leave none of them alone.
 */
export function startLanes(options: LanesOptions): Lanes {
  const { platform, leases, roster, layouts, open } = options;
  const { processId, env, logger, clock, metrics } = platform;
  const consumers = new Map<number, { close(): Promise<void> }>();
  let rank = 0;
  let count = 1;
  let total = 0;

  const give = async (lane: number): Promise<void> => {
    const consumer = consumers.get(lane);
    consumers.delete(lane);
    await consumer?.close();
    await leases.release(leaseName(lane), processId);
    logger.info({ lane }, 'lane.released');
  };

  const lose = (lane: number): void => {
    const consumer = consumers.get(lane);
    consumers.delete(lane);
    logger.warn({ lane }, 'lane.lost');
    if (consumer !== undefined) {
      supervise(consumer.close(), (err) => {
        logger.warn({ err, lane }, 'lane.close.failed');
      });
    }
  };

  const take = async (lane: number, hasLapsed: boolean): Promise<void> => {
    consumers.set(lane, await open(lane, hasLapsed));
    logger.info({ lane, hasLapsed }, 'lane.taken');
  };

  const noteTotal = (lanes: number): void => {
    if (lanes === total) return;
    total = lanes;
    const setting = env.SETTLEMENT_LANES;
    if (lanes === setting) logger.info({ lanes, setting }, 'lanes.total');
    // Other processes go by another number, or have left work in such lanes.
    else logger.warn({ lanes, setting }, 'lanes.total.above-setting');
  };

  const balance = async (): Promise<void> => {
    await roster.beat(processId, env.WORKER_POOLS, env.SETTLEMENT_LANES);
    const alive = await roster.alive(POOL, LIMITS.laneLeaseMs);
    count = Math.max(1, alive.length);
    const own = alive.findIndex(({ id }) => id === processId);
    rank = Math.max(0, own);
    noteTotal(totalOf(await layouts.refresh(), alive));
    const { size: share, start } = shareOf(rank, count, total);
    for (const lane of [...consumers.keys()]) {
      const isOurs = await leases.hold(leaseName(lane), processId, LIMITS.laneLeaseMs);
      if (!isOurs) lose(lane);
    }
    for (const lane of surplusOf([...consumers.keys()], { share, total })) {
      // Not awaited: the lanes that stay need their renewals meanwhile.
      supervise(give(lane), (err) => {
        logger.warn({ err, lane }, 'lane.release.failed');
      });
    }
    // Each starts looking at another lane, so that they do not all ask for the same one.
    for (let step = 0; step < total && consumers.size < share; step += 1) {
      const lane = (start + step) % total;
      if (consumers.has(lane)) continue;
      const taken = await leases.take(leaseName(lane), processId, LIMITS.laneLeaseMs);
      if (taken !== 'elsewhere') await take(lane, taken === 'lapsed');
    }
    metrics.lanesHeld.set(consumers.size);
  };

  let lastRenewedMs = clock.monotonicMs();
  const tick = async (): Promise<void> => {
    await balance();
    lastRenewedMs = clock.monotonicMs();
  };
  const onError = (err: unknown): void => {
    logger.warn({ err }, 'lanes.balance.failed');
    // Whether we still hold anything is unknown once the leases have run out: stop consuming.
    if (clock.monotonicMs() - lastRenewedMs > LIMITS.laneLeaseMs) {
      for (const lane of [...consumers.keys()]) lose(lane);
    }
  };
  // Two ticks never overlap, and closing waits for the one under way: it might still take lanes.
  const first = tick().catch(onError);
  const run = async (): Promise<void> => {
    await first;
    await tick();
  };
  const ticker = startTicker({ intervalMs: LIMITS.laneLeaseRenewMs, run, onError, clock });

  return {
    held: () => [...consumers.keys()].sort((a, b) => a - b),
    rank: () => rank,
    count: () => count,
    close: async () => {
      await first;
      await ticker.stop();
      await Promise.all([...consumers.keys()].map(give));
      await roster.leave(processId);
    },
  };
}

/**
 * How many lanes the process at a place among so many has, and where it starts to look for them:
 * as even as can be, and all of them together exactly the lanes. Pure.
 */
export function shareOf(
  rank: number,
  count: number,
  lanes: number,
): { readonly size: number; readonly start: number } {
  const base = Math.floor(lanes / count);
  const longer = lanes % count;
  const size = base + (rank < longer ? 1 : 0);
  return { size, start: (rank * base + Math.min(rank, longer)) % lanes };
}

/** Lanes that nobody has any more, and what is above our share of the others. Pure. */
function surplusOf(
  held: readonly number[],
  { share, total }: { readonly share: number; readonly total: number },
): readonly number[] {
  const kept = held.filter((lane) => lane < total);
  return [...held.filter((lane) => lane >= total), ...kept.slice(share)];
}

function totalOf(open: number, alive: readonly LiveWorker[]): number {
  return Math.max(open, ...alive.map(({ lanes = FIRST_LAYOUT }) => lanes));
}

function leaseName(lane: number): string {
  return `lane:${lane}`;
}
