import { LIMITS } from '../../config/limits.ts';
import { createLedgerStore } from '../../core/ledger/ledger-store.ts';
import { noReservations } from '../../core/ledger/wallet-reservations-lock.ts';
import { type BatchRunner, createBatchRunner } from '../../core/settlement/batch-runner.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Registry } from '../../core/operations/define.ts';
import { createSuspects } from '../../core/settlement/suspects.ts';
import { type Settler, createSettler } from '../../core/settlement/settler.ts';
import type { Failpoint } from '../../core/kernel/failpoint.ts';
import { laneOf, userOrderingKey } from '../../core/operations/operation.ts';
import { openLayouts } from '../../core/operations/layouts.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createSettleStore } from '../../core/operations/settle-store.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { startSettlement } from '../../workers/settlement.ts';
import { LANES } from '../../queues/catalog.ts';
import { type Instance, TENANT } from './platform.ts';

interface SettlingOptions {
  readonly registry?: Registry;
  readonly failpoint?: Failpoint;
  /** Of the system wallets: two settlers at once need two. */
  readonly stripe?: number;
  /** As if the last owner of every lane had died. */
  readonly hasLapsed?: true;
  /** Of its settings. */
  readonly lanes?: number;
  /** Around the batch runner: for processes that die. */
  readonly around?: (runner: BatchRunner) => BatchRunner;
}

const noHints = { announce: () => undefined };

/** The batch runner of one process, without queues in front of it. */
function openRunner(node: Instance, options: SettlingOptions = {}): BatchRunner {
  const { platform, queues, databaseTime } = node;
  const { mongo, clock, logger, metrics, random, processId } = platform;
  return createBatchRunner({
    workerId: processId,
    ledger: createLedgerStore(mongo.client, mongo.db),
    operations: createSettleStore(mongo.db),
    outbox: createOutboxStore(mongo.db),
    lines: linesOf(node),
    databaseTime,
    publisher: queues.publisher,
    hints: noHints,
    clock,
    logger,
    metrics,
    random,
    failpoint: options.failpoint ?? platform.failpoint,
    stripeOf: (slot) => (options.stripe ?? 0) * 2 + slot,
  });
}

function linesOf({ platform, queues: { publisher } }: Instance) {
  return openLines(platform.mongo.db, publisher);
}

const asItIs = (runner: BatchRunner): BatchRunner => runner;

/** A settler that reads what it is told to read: no jobs, no lane leases. */
export function openSettler(node: Instance, options: SettlingOptions = {}): Settler {
  const { clock, logger, metrics, random, lifecycle } = node.platform;
  const suspects = createSuspects({
    runner: (options.around ?? asItIs)(openRunner(node, options)),
    operations: createSettleStore(node.platform.mongo.db),
  });
  if (options.hasLapsed === true) for (const lane of LANES) suspects.watch(lane, new Date());
  const settler = createSettler({
    registry: options.registry ?? OPERATIONS,
    store: node.store,
    suspects,
    lines: linesOf(node),
    layouts: openLayouts(node.platform.mongo.db, {
      own: options.lanes ?? LIMITS.lanes,
      clock,
    }),
    clock,
    logger,
    metrics,
    random,
    slots: () => LIMITS.settlementSlots,
    claims: () => noReservations,
  });
  lifecycle.onClose('test settler', () => settler.close());
  return settler;
}

/** Reads every lane once. */
export function pokeAll(settler: Settler): void {
  for (const lane of LANES) settler.wakeLane(lane);
}

/** The real pool: lanes, queues, settler. */
export function startWorker(node: Instance) {
  const { platform, queues } = node;
  return startSettlement({ platform, publisher: queues.publisher, hints: noHints });
}

/** The first of `<name>1`, `<name>2`… whose line stands in a lane like the one wanted. */
export function userIn(name: string, isWanted: (lane: number) => boolean): string {
  for (let number = 1; ; number += 1) {
    const userId = `${name}${number}`;
    if (isWanted(laneOf(userOrderingKey(TENANT, userId), LIMITS.lanes))) return userId;
  }
}
