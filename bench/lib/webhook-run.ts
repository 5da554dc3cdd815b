import { collection } from '../../core/infra/collections.ts';
import { BREAKER } from '../../core/notifications/admission/breaker.ts';
import type { DeliveryDoc } from '../../core/notifications/delivery/delivery.ts';
import { POLICIES } from '../../core/notifications/policies.ts';
import type { WebhookEndpointDoc } from '../../core/notifications/webhooks/webhook-endpoint.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { type Over, whenOver } from './ending.ts';
import { allRouted } from './delivery-world.ts';
import type { Side } from './load.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess } from './processes.ts';
import { type ReceiverProcess, startReceiverProcess } from './receiver-process.ts';
import {
  type EndpointSpec,
  rowsOf,
  secretsOf,
  storeEndpoints,
  tellBaseline,
  tellOurs,
} from './webhook-world.ts';

export interface WebhookScenario {
  readonly side: Side;
  /** Of each tenant; every endpoint of the tenant's gets each. */
  readonly events: number;
  /** Of another tenant, sent before the clock starts by the same process. */
  readonly warmUp: number;
  readonly tenants?: number;
  /** Of each tenant, every one on a host of its own if there are several. */
  readonly endpoints?: number;
  /** How long a receiver takes. */
  readonly delayMs?: number;
  /** What half as many endpoints more do, of each tenant: a third of all is down. */
  readonly down?: 'refusing' | 'black-holed';
}

interface World {
  readonly alive: readonly WebhookEndpointDoc[];
  readonly all: readonly WebhookEndpointDoc[];
  readonly tenantIds: readonly string[];
}

interface WebhookRun {
  readonly arena: Arena;
  readonly scenario: WebhookScenario;
  readonly receiver: ReceiverProcess;
  readonly worker: BenchProcess;
}

/** Sends webhooks that are made and enqueued when the clock starts. */
export async function runWebhooks(deps: RunDeps, scenario: WebhookScenario): Promise<Sample> {
  const arena = await openArena(deps.urls);
  const processes: BenchProcess[] = [];
  try {
    const receiver = await startReceiverProcess(deps.log);
    processes.push(receiver.process);
    const worker = startProcess({
      script: scenario.side === 'ours' ? 'workers/main.ts' : 'bench/baseline/worker.ts',
      env: {
        ...arena.processEnv,
        ...{ WORKER_POOLS: 'notification', BENCH_CONCURRENCY: '64' },
        ...{ WEBHOOK_ALLOW_PRIVATE: 'loopback', NODE_ENV: 'development' }, // else not to this machine
      },
      log: deps.log,
    });
    processes.push(worker);
    return await measure(deps, { arena, scenario, receiver, worker });
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await arena.close();
  }
}

const WARM = 'warm';
/** Nothing listens there, and nothing else takes it: it is reserved. */
const REFUSING_URL = 'http://127.0.0.1:1/w';

async function measure(deps: RunDeps, run: WebhookRun): Promise<Sample> {
  const { arena, scenario, receiver, worker } = run;
  const { events, warmUp } = scenario;
  const warm = await buildWarm(run);
  const world = await buildWorld(run);
  const tell = async (tenantIds: readonly string[], count: number): Promise<void> => {
    const rows = tenantIds.flatMap((tenantId) => rowsOf(tenantId, count));
    await (scenario.side === 'ours'
      ? tellOurs(arena, rows)
      : tellBaseline(arena, rows, [warm, ...world.all]));
  };
  await tell([WARM], warmUp);
  const wanted = world.alive.length * events;
  await allSent(run, { alive: [warm], received: warmUp });
  const gates = gatesOf(arena);
  for (const queue of gates) await queue.pause();
  await tell(world.tenantIds, events);
  await allRouted(arena, warmUp + world.all.length * events);
  const nodes = { node: [worker.pid], load: [receiver.process.pid] };
  const watched = { ...nodes, servers: deps.servers };
  const before = readCpu(watched);
  const startedMs = performance.now();
  for (const queue of gates) await queue.resume();
  const over = await allSent(run, { alive: world.alive, received: warmUp + wanted });
  const cpu = cpuBetween(before, readCpu(watched));
  const endedMs = over.atMs(await lastSentAt(arena, world));
  await checkWebhooks(run, { alive: [warm, ...world.alive], total: warmUp + wanted });
  const perSecond = (wanted / (endedMs - startedMs)) * 1_000;
  const sample = { perSecond, operations: wanted, cpu, ...windowOf(scenario) };
  if (scenario.down === undefined) return sample;
  return { ...sample, deadCalls: await callsToDown(run, world) };
}

/** Whatever queue a delivery may wait in, of either side. */
function gatesOf({ baseline, queues }: Arena) {
  const ours = [...queues.byName.values()].filter(({ name }) => name.startsWith('notify-'));
  return [baseline, ...ours];
}

async function buildWarm({ arena, receiver }: WebhookRun): Promise<WebhookEndpointDoc> {
  const specs = [{ name: WARM, tenantId: WARM, url: receiver.urlOf(WARM) }];
  const [warm] = await storeEndpoints(arena, specs);
  if (warm === undefined) throw new Error('there is no endpoint');
  await receiver.trust(secretsOf([warm]));
  return warm;
}

async function buildWorld({ arena, receiver, scenario }: WebhookRun): Promise<World> {
  const { tenants = 1, endpoints = 1, delayMs: ms = 0, down } = scenario;
  const isOneHost = tenants * endpoints === 1;
  const tenantIds = Array.from({ length: tenants }, (_, index) => `tenant-${String(index)}`);
  const specsOf = (urlOf: (name: string, index: number) => string, each: number, prefix: string) =>
    tenantIds.flatMap((tenantId, tenant) =>
      Array.from({ length: each }, (_, index): EndpointSpec => {
        const number = tenant * each + index;
        const name = `${prefix}${String(number)}`;
        return { name, tenantId, url: urlOf(name, number) };
      }),
    );
  const alive = specsOf(
    (name, host) => receiver.urlOf(name, { ms, ...(!isOneHost && { host }) }),
    endpoints,
    'e',
  );
  const urlOfDown = (name: string): string =>
    down === 'black-holed' ? receiver.holeUrlOf(name) : `${REFUSING_URL}/${name}`;
  const dead = down === undefined ? [] : specsOf(urlOfDown, Math.ceil(endpoints / 2), 'down');
  const stored = await storeEndpoints(arena, [...alive, ...dead]);
  const living = stored.slice(0, alive.length);
  await receiver.trust(secretsOf(living));
  return { alive: living, all: stored, tenantIds };
}

interface Sent {
  readonly alive: readonly WebhookEndpointDoc[];
  /** By the receiver, altogether. */
  readonly received: number;
}

/** By the receiver's own count, and only then by what is open still. */
async function allSent({ arena, receiver }: WebhookRun, { alive, received }: Sent): Promise<Over> {
  const deliveries = collection<DeliveryDoc>(arena.db, 'deliveries');
  const tenantIds = [...new Set(alive.map(({ tenantId }) => tenantId))];
  const ids = alive.map(({ _id }) => _id);
  // By the index of what a person looks for; of one tenant among those that have one at all.
  const open = {
    tenantId: { $in: tenantIds },
    status: { $in: ['pending', 'sending'] as DeliveryDoc['status'][] },
    ...(ids.length <= 10 && { endpointId: { $in: ids } }),
  };
  return whenOver({
    what: `${String(received)} webhooks are sent`,
    isOver: async () =>
      (await receiver.counts()).received >= received &&
      (await deliveries.findOne(open, { projection: { _id: 1 } })) === null,
    withinMs: 300_000,
  });
}

async function lastSentAt({ db }: Arena, { alive }: World): Promise<number | undefined> {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const ids = new Set<string | undefined>(alive.map(({ _id }) => _id));
  let last: number | undefined;
  const sent = deliveries.find(
    { status: 'sent' },
    { projection: { completedAt: 1, endpointId: 1, _id: 0 } },
  );
  for await (const { completedAt, endpointId } of sent) {
    if (completedAt === undefined || !ids.has(endpointId)) continue;
    last = Math.max(last ?? 0, completedAt.getTime());
  }
  return last;
}

/** Each was received once, and is stored as sent at its first attempt; none is made up. */
async function checkWebhooks(
  { arena, receiver }: WebhookRun,
  { alive, total }: { readonly alive: readonly WebhookEndpointDoc[]; readonly total: number },
): Promise<void> {
  const deliveries = collection<DeliveryDoc>(arena.db, 'deliveries');
  const counts = await receiver.counts();
  const living = { endpointId: { $in: alive.map(({ _id }) => _id) } };
  const right = { ...living, status: 'sent', attempts: { $size: 1 } } as const;
  const found = {
    received: counts.received,
    distinct: counts.distinct,
    repeated: counts.repeated,
    unsigned: counts.unsigned,
    stored: await deliveries.countDocuments(living),
    right: await deliveries.countDocuments(right),
    'failed jobs': await arena.failedJobs(),
  };
  const wanted: typeof found = {
    ...{ received: total, distinct: total, repeated: 0, unsigned: 0 },
    ...{ stored: total, right: total, 'failed jobs': 0 },
  };
  const isRight = Object.entries(wanted).reduce(
    (so, [name, value]) => so && found[name as keyof typeof found] === value,
    true,
  );
  if (isRight) return;
  throw new Error(`Of ${String(total)} webhooks there are ${JSON.stringify(found)}`);
}

/**
 * To each that is down, before the first probe may go out. @throws when one that refuses at once was called
 * more often than its breaker may take; how many calls hang in a black hole by then is only reported.
 */
async function callsToDown(
  { arena, scenario }: WebhookRun,
  { alive, all }: World,
): Promise<number> {
  const ids = all.slice(alive.length).map(({ _id }) => _id);
  const found = await collection<DeliveryDoc>(arena.db, 'deliveries')
    .find({ endpointId: { $in: ids }, attempts: { $ne: [] } }, { projection: { attempts: 1 } })
    .toArray();
  const times = found.flatMap(({ attempts }) => attempts.map(({ at }) => at.getTime()));
  const endMs = Math.min(...times) + BREAKER.openMs;
  const calls = times.filter((at) => at < endMs).length / ids.length;
  if (scenario.down === 'refusing' && calls > BREAKER.samplesMin) {
    throw new Error(`${String(calls)} calls to each that is down`);
  }
  return calls;
}

/** What as many calls at once as there may be to each can come to. */
function windowOf({ delayMs, tenants = 1, endpoints = 1 }: WebhookScenario) {
  if (delayMs === undefined) return {};
  const calls = tenants * endpoints * POLICIES.webhook.inFlightMax;
  return { windowPerSecond: (calls / delayMs) * 1_000 };
}
