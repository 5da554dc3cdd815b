import { LIMITS } from '../config/limits.ts';
import { createLeaseStore, createWorkerRoster } from '../core/infra/lease-store.ts';
import { type Ticker, startTicker } from '../core/kernel/clock.ts';
import { createLedgerStore } from '../core/ledger/ledger-store.ts';
import {
  type WalletReservations,
  createWalletReservations,
  noReservations,
} from '../core/ledger/wallet-reservations-lock.ts';
import { createBatchRunner } from '../core/settlement/batch-runner.ts';
import { OPERATIONS } from '../core/operation-types/registry.ts';
import { createSuspects } from '../core/settlement/suspects.ts';
import { createSettler } from '../core/settlement/settler.ts';
import type { Platform } from '../runtime/platform.ts';
import { walletWriteThrough } from '../runtime/wallet-cache.ts';
import { type Layouts, openLayouts } from '../core/operations/layouts.ts';
import { laneNumberOf } from '../core/operations/lane-layout.ts';
import { openLines } from '../core/operations/lines.ts';
import { type OperationStore, createOperationStore } from '../core/operations/operation-store.ts';
import type { JobPublisher } from '../core/operations/ports.ts';
import type { SettledHints } from '../core/events/hints.ts';
import { createSettleStore } from '../core/operations/settle-store.ts';
import { createOutboxStore } from '../core/events/outbox-store.ts';
import { type LanePayload, laneQueue, operationsOf } from '../queues/catalog.ts';
import { type Lanes, startLanes } from './lanes.ts';
import { startPool } from './pool.ts';

interface SettlementDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher;
  readonly hints: SettledHints;
}

/** The settlement pool: consumes its share of the lanes and settles what stands in them. */
export function startSettlement({ platform, publisher, hints }: SettlementDeps): Lanes {
  const { env, mongo, clock, logger, metrics, failpoint, processId } = platform;
  const { random, databaseClock, tracer } = platform;
  const store = createOperationStore(mongo.db);
  const place = { rank: () => 0, count: () => 1 };
  const lines = openLines(mongo.db, publisher, platform.pauses);
  const layouts = openLayouts(mongo.db, { own: env.SETTLEMENT_LANES, clock });
  const runner = createBatchRunner({
    workerId: processId,
    ledger: createLedgerStore(mongo.client, mongo.db, walletWriteThrough(platform)),
    operations: createSettleStore(mongo.db),
    outbox: createOutboxStore(mongo.db),
    lines,
    databaseTime: databaseClock,
    ...{ publisher, hints, clock, logger, metrics, failpoint, random, tracer },
    stripeOf: (slot) => (place.rank() * LIMITS.settlementSlots + slot) % LIMITS.systemStripes,
  });
  const claims = openClaims(platform);
  const batchMax = platform.settings.view((all) => all.read('settlement.batchMax'));
  const suspects = createSuspects({ runner, operations: createSettleStore(mongo.db) });
  const settler = createSettler({
    registry: OPERATIONS,
    store,
    suspects,
    lines,
    layouts,
    clock,
    logger,
    metrics,
    random,
    claims: () => (place.count() > 1 ? claims : noReservations),
    // The batches of several processes overlap as it is: more of them would share out the same
    // wallets, and so be smaller, at the same cost each.
    slots: () => (place.count() > 1 ? 1 : LIMITS.settlementSlots),
    batchMax: () => batchMax.now,
  });
  const connection = platform.redis.open('queue', { name: 'settlement', whenAway: 'wait' });
  const consume = async (lane: number, hasLapsed: boolean) => {
    if (hasLapsed) suspects.watch(lane, (await databaseClock()).now);
    const pool = startPool<LanePayload>({
      platform,
      connection,
      queue: laneQueue(lane),
      work: (payload) => settler.settle(lane, idsOf(payload)),
    });
    settler.wakeLane(lane);
    return pool;
  };
  const held = startLanes({
    platform,
    leases: createLeaseStore(mongo.db),
    roster: createWorkerRoster(mongo.db),
    layouts,
    open: consume,
  });
  place.rank = held.rank;
  place.count = held.count;
  // Jobs may have been lost with Redis; the operations are not.
  connection.on('ready', () => {
    for (const lane of held.held()) settler.wakeLane(lane);
  });
  const lag = watchLag(platform, store, {
    held: () => held.held(),
    layouts,
    wakeLane: (lane) => {
      settler.wakeLane(lane);
    },
  });
  platform.lifecycle.onDrain('settlement', async () => {
    await lag.stop();
    // The consumers stop fetching and wait for their jobs; the settler finishes its batches and
    // hands the jobs still waiting back.
    const consumersClosed = held.close();
    await settler.close();
    await consumersClosed;
  });
  return held;
}

function idsOf(payload: LanePayload): readonly string[] {
  return operationsOf(payload).map(({ operationId }) => operationId);
}

function openClaims({ env, logger, redis: roles }: Platform): WalletReservations {
  const redis = roles.open('state', { name: 'claims', whenAway: 'fail' });
  const key = `${env.QUEUE_PREFIX}-claims:${env.MONGO_DB}`;
  return createWalletReservations({ redis, key, logger });
}

interface WatchedLanes {
  readonly held: () => readonly number[];
  readonly layouts: Pick<Layouts, 'storedLanes'>;
  readonly wakeLane: (lane: number) => void;
}

/**
 * Exports how far the lanes lag, and reads a lane again whose oldest operation is the same as at
 * the last look: whoever holds a lane settles it, whether Redis brings the jobs or not.
 */
function watchLag(platform: Platform, store: OperationStore, lanes: WatchedLanes): Ticker {
  const { clock, logger, metrics } = platform;
  let before: ReadonlyMap<number, Date> = new Map();
  return startTicker({
    intervalMs: LIMITS.backlogSampleMs * 5,
    clock,
    onError: (err) => {
      logger.debug({ err }, 'lane.lag.failed');
    },
    run: async () => {
      const now = clock.now();
      const oldest = await oldestByNumber(store, lanes.layouts.storedLanes(lanes.held()));
      metrics.laneLag.reset();
      for (const lane of lanes.held()) {
        const age = oldest.get(lane);
        const seconds = age === undefined ? 0 : Math.max(0, (now - age.getTime()) / 1_000);
        metrics.laneLag.set({ lane: String(lane) }, seconds);
        if (age !== undefined && age.getTime() === before.get(lane)?.getTime()) {
          lanes.wakeLane(lane);
        }
      }
      before = oldest;
    },
  });
}

/** Of all lanes that share a number. */
async function oldestByNumber(
  store: OperationStore,
  storedLanes: readonly number[],
): Promise<ReadonlyMap<number, Date>> {
  const oldest = new Map<number, Date>();
  for (const [stored, at] of await store.oldestOpen(storedLanes)) {
    const lane = laneNumberOf(stored);
    const other = oldest.get(lane);
    if (other === undefined || at < other) oldest.set(lane, at);
  }
  return oldest;
}
