import { LIMITS } from '../../config/limits.ts';
import { systemClock as clock } from '../../core/kernel/clock.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { type Api, BENCH_KEY, startApi } from './http-side.ts';
import { type Side, acceptAll } from './load.ts';
import { type LoadProcess, startLoad } from './load-process.ts';
import type { RunDeps, Sample } from './measure.ts';
import { transferInputs } from './transfers.ts';

export interface IngestScenario {
  readonly side: Side;
  readonly connections: number;
  readonly requests: number;
  /** Sent before the clock starts, to the same process. */
  readonly warmUp: number;
  readonly wallets: number;
  readonly nodeArgs?: readonly string[];
  /** Operations of another tenant that wait meanwhile. */
  readonly flood?: number;
}

/** Requests per second that are answered with 202 by one API process; nothing settles meanwhile. */
export async function runIngest(
  deps: RunDeps,
  scenario: IngestScenario,
  seed: number,
): Promise<Sample> {
  const arena = await openArena(deps.urls);
  let api: Api | undefined;
  let load: LoadProcess | undefined;
  try {
    if (scenario.flood !== undefined) await flood(arena, scenario.flood, scenario.wallets);
    api = await startApi(arena, { ...scenario, log: deps.log });
    const { connections, wallets, warmUp, requests } = scenario;
    load = await startLoad({ port: api.port, connections, apiKey: BENCH_KEY });
    await load.prepare({ count: warmUp, wallets, seed: seed + 1_000, label: 'warm' });
    await load.offer();
    await load.prepare({ count: requests, wallets, seed, label: 'run' });
    const watched = { node: [api.pid], load: [load.pid], servers: deps.servers };
    const before = readCpu(watched);
    const { elapsedMs, p50Ms, p99Ms } = await load.offer();
    const cpu = cpuBetween(before, readCpu(watched));
    await checkAccepted(arena, warmUp + requests + (scenario.flood ?? 0));
    return {
      perSecond: (requests / elapsedMs) * 1_000,
      operations: requests,
      cpu,
      latencyMs: { p50: p50Ms, p99: p99Ms },
    };
  } finally {
    load?.stop();
    await api?.stop();
    await arena.close();
  }
}

async function flood(arena: Arena, count: number, wallets: number): Promise<void> {
  const inputs = transferInputs(count, { wallets, shape: 'uniform', seed: count });
  await acceptAll(arena, 'ours', { type: 'transfer', inputs, tenantId: 'flood', label: 'flood' });
}

/** Every 202 is an operation that is stored and that a waiting job stands for, each once. */
async function checkAccepted(arena: Arena, answered: number): Promise<void> {
  const operations = arena.db.collection('operations');
  // An answer of ours does not wait for its job.
  await clock.sleep(LIMITS.enqueueTimeoutMs);
  const found = {
    operations: await operations.countDocuments({}),
    accepted: await operations.countDocuments({ status: 'accepted' }),
    enqueued: await arena.operationsWaiting(),
  };
  if (Object.values(found).every((count) => count === answered)) return;
  throw new Error(`${answered} requests were accepted, but there are ${JSON.stringify(found)}`);
}
