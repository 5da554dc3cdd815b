import type { Filter } from 'mongodb';
import { collection } from '../../core/infra/collections.ts';
import { present } from '../../core/kernel/assert.ts';
import type { DeliveryDoc } from '../../core/notifications/delivery/delivery.ts';
import { notifyQueue } from '../../queues/catalog.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { type Over, lastWriteAt, whenOver } from './ending.ts';
import {
  EVENTS,
  type StandInsProcess,
  addUsers,
  allRouted,
  happen,
  startStandIns,
} from './delivery-world.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess } from './processes.ts';

export interface DeliveryScenario {
  readonly channel: keyof typeof EVENTS;
  readonly deliveries: number;
  /** Sent before the clock starts, by the same process. */
  readonly warmUp: number;
}

/** Sends deliveries that are made and enqueued when the clock starts. */
export async function runDeliveries(deps: RunDeps, scenario: DeliveryScenario): Promise<Sample> {
  const arena = await openArena(deps.urls);
  const processes: BenchProcess[] = [];
  try {
    const standIns = await startStandIns(arena, deps.log);
    processes.push(standIns.process);
    const env = { ...arena.processEnv, ...standIns.env, WORKER_POOLS: 'notification' };
    const worker = startProcess({
      script: 'workers/main.ts',
      env: { ...env, NODE_ENV: 'development' }, // else it would not call this machine
      log: deps.log,
    });
    processes.push(worker);
    return await measure(deps, { arena, scenario, standIns, worker });
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await arena.close();
  }
}

interface DeliveryRun {
  readonly arena: Arena;
  readonly scenario: DeliveryScenario;
  readonly standIns: StandInsProcess;
  readonly worker: BenchProcess;
}

async function measure(deps: RunDeps, run: DeliveryRun): Promise<Sample> {
  const { arena, scenario, standIns, worker } = run;
  const { channel, deliveries, warmUp } = scenario;
  await addUsers(arena, channel);
  const eventsOf = (count: number): readonly string[] =>
    Array.from({ length: count }, () => EVENTS[channel]);
  await happen(arena, eventsOf(warmUp));
  await allSent(arena, warmUp);
  const queue = present(arena.queues.byName.get(notifyQueue(channel)), 'the queue of the channel');
  await queue.pause();
  await happen(arena, eventsOf(deliveries));
  await allRouted(arena, warmUp + deliveries);
  const nodes = { node: [worker.pid], load: [standIns.process.pid] };
  const watched = { ...nodes, servers: deps.servers };
  const before = readCpu(watched);
  const startedMs = performance.now();
  await queue.resume();
  const over = await allSent(arena, deliveries);
  const cpu = cpuBetween(before, readCpu(watched));
  const tookMs = over.atMs(await lastWriteAt(arena.db, 'deliveries')) - startedMs;
  await checkDeliveries(arena, channel, warmUp + deliveries);
  return { perSecond: (deliveries / tookMs) * 1_000, operations: deliveries, cpu };
}

/** None is open: one key of an index, whatever their number. */
async function allSent({ db }: Arena, count: number): Promise<Over> {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const outbox = db.collection('outbox');
  const open: Filter<DeliveryDoc> = {
    status: { $in: ['pending', 'sending'] },
    nextCheckAt: { $exists: true },
  };
  return whenOver({
    what: `${String(count)} deliveries are sent`,
    isOver: async () =>
      (await outbox.estimatedDocumentCount()) === 0 &&
      (await deliveries.findOne(open, { projection: { _id: 1 } })) === null,
    withinMs: 300_000,
  });
}

/** Each was sent once, at the first attempt; those of channels without an address are for the log. */
async function checkDeliveries(
  arena: Arena,
  channel: DeliveryScenario['channel'],
  total: number,
): Promise<void> {
  const deliveries = collection<DeliveryDoc>(arena.db, 'deliveries');
  const sent = { channel, status: 'sent', attempts: { $size: 1 } } as const;
  const found = {
    all: await deliveries.countDocuments({ channel }),
    right: await deliveries.countDocuments(sent),
    sent: await deliveries.countDocuments({ status: 'sent' }),
  };
  if (Object.values(found).every((count) => count === total)) return;
  throw new Error(`Of ${String(total)} deliveries there are ${JSON.stringify(found)}`);
}
