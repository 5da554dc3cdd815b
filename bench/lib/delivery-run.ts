import { collection } from '../../core/infra/collections.ts';
import { present } from '../../core/kernel/assert.ts';
import { BREAKER } from '../../core/notifications/admission/breaker.ts';
import type { DeliveryDoc } from '../../core/notifications/delivery/delivery.ts';
import { notifyQueue } from '../../queues/catalog.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import {
  EVENTS,
  type StandInsProcess,
  addEndpoint,
  addUsers,
  allRouted,
  happen,
  startStandIns,
  trust,
} from './delivery-world.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

export interface DeliveryScenario {
  readonly channel: keyof typeof EVENTS;
  readonly deliveries: number;
  /** Sent before the clock starts, by the same process. */
  readonly warmUp: number;
  /** Every so manieth event is for an endpoint with nobody behind it, too. */
  readonly deadEvery?: number;
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

const DEAD = 'whk_dead';
/** Webhook endpoints get it, and nobody else. */
const FOR_DEAD = 'hold.placed';
/** Nothing listens there, and nothing else takes it: it is reserved. */
const DEAD_URL = 'http://127.0.0.1:1/webhooks/dead';

async function measure(deps: RunDeps, run: DeliveryRun): Promise<Sample> {
  const { arena, scenario, standIns, worker } = run;
  const { channel, deliveries, warmUp, deadEvery } = scenario;
  await addReceivers(run);
  await happen(arena, eventsOf(scenario, warmUp));
  await allSent(arena, warmUp);
  if (deadEvery !== undefined) {
    await addEndpoint(arena, { name: 'dead', url: DEAD_URL, events: [FOR_DEAD] });
  }
  const queue = present(arena.queues.byName.get(notifyQueue(channel)), 'the queue of the channel');
  await queue.pause();
  await happen(arena, eventsOf(scenario, deliveries));
  const dead = deadEvery === undefined ? 0 : Math.floor(deliveries / deadEvery);
  await allRouted(arena, warmUp + deliveries + dead);
  const nodes = { node: [worker.pid], load: [standIns.process.pid] };
  const watched = { ...nodes, servers: deps.servers };
  const before = readCpu(watched);
  const startedMs = performance.now();
  await queue.resume();
  await allSent(arena, warmUp + deliveries);
  const tookMs = performance.now() - startedMs;
  const cpu = cpuBetween(before, readCpu(watched));
  await checkDeliveries(arena, warmUp + deliveries);
  const perSecond = (deliveries / tookMs) * 1_000;
  const sample = { perSecond, operations: deliveries, cpu };
  return deadEvery === undefined ? sample : { ...sample, deadCalls: await callsToDead(arena) };
}

async function addReceivers({ arena, scenario, standIns }: DeliveryRun): Promise<void> {
  if (scenario.channel !== 'webhook') return addUsers(arena, scenario.channel);
  const url = `${standIns.receiverUrl}/webhooks/alive`;
  await trust(await addEndpoint(arena, { name: 'alive', url, events: ['*'] }));
}

function eventsOf({ channel, deadEvery }: DeliveryScenario, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    deadEvery !== undefined && index % deadEvery === 0 ? FOR_DEAD : EVENTS[channel],
  );
}

async function allSent(arena: Arena, total: number): Promise<void> {
  const deliveries = collection<DeliveryDoc>(arena.db, 'deliveries');
  const count = async (): Promise<number> =>
    deliveries.countDocuments({ status: 'sent', endpointId: { $ne: DEAD } });
  await until(`${String(total)} deliveries are sent`, async () => (await count()) >= total, {
    withinMs: 300_000,
  });
}

/** Each was sent once, at the first attempt. */
async function checkDeliveries(arena: Arena, total: number): Promise<void> {
  const deliveries = collection<DeliveryDoc>(arena.db, 'deliveries');
  const alive = { endpointId: { $ne: DEAD } };
  const found = {
    all: await deliveries.countDocuments(alive),
    right: await deliveries.countDocuments({ ...alive, status: 'sent', attempts: { $size: 1 } }),
  };
  if (found.all === total && found.right === total) return;
  throw new Error(`Of ${String(total)} deliveries there are ${JSON.stringify(found)}`);
}

/** Before the first probe may go out. @throws when more were made than the breaker may take. */
async function callsToDead(arena: Arena): Promise<number> {
  const found = await collection<DeliveryDoc>(arena.db, 'deliveries')
    .find({ endpointId: DEAD, attempts: { $ne: [] } }, { projection: { attempts: 1 } })
    .toArray();
  const times = found.flatMap(({ attempts }) => attempts.map(({ at }) => at.getTime()));
  const endMs = Math.min(...times) + BREAKER.openMs;
  const calls = times.filter((at) => at < endMs).length;
  if (calls > BREAKER.samplesMin) throw new Error(`${String(calls)} calls to what is down`);
  return calls;
}
