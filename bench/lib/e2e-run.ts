import { openArena } from './arena.ts';
import { booksOfTransfers, checkBooks } from './check-books.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { lastWriteAt } from './ending.ts';
import { BENCH_KEY, startApi } from './http-side.ts';
import { type Side, openWallets } from './load.ts';
import { type LoadProcess, startLoad } from './load-process.ts';
import type { RunDeps, Sample } from './measure.ts';
import type { BenchProcess } from './processes.ts';
import { allAcknowledged, allReady, allSettled, startWorkers } from './workers.ts';

export interface EndToEndScenario {
  readonly side: Side;
  readonly connections: number;
  readonly requests: number;
  /** Accepted and settled before the clock starts, by the same processes. */
  readonly warmUp: number;
  readonly wallets: number;
}

/** From the first request to the last settlement, by one API process and one worker process. */
export async function runEndToEnd(
  deps: RunDeps,
  scenario: EndToEndScenario,
  seed: number,
): Promise<Sample> {
  const { side, connections, wallets, warmUp, requests } = scenario;
  const arena = await openArena(deps.urls);
  const processes: BenchProcess[] = [];
  let load: LoadProcess | undefined;
  try {
    await openWallets(arena, wallets);
    const workers = startWorkers(arena, { side, processes: 1, log: deps.log });
    processes.push(...workers);
    await allReady(arena, side, workers);
    const api = await startApi(arena, { side, log: deps.log });
    processes.push(api);
    load = await startLoad({ port: api.port, connections, apiKey: BENCH_KEY });
    await load.prepare({ count: warmUp, wallets, seed: seed + 1_000, label: 'warm' });
    await load.offer();
    await allSettled(arena, warmUp);
    await allAcknowledged(arena);
    await load.prepare({ count: requests, wallets, seed, label: 'run' });
    const watched = {
      node: processes.map(({ pid }) => pid),
      load: [load.pid],
      servers: deps.servers,
    };
    const before = readCpu(watched);
    const startedMs = performance.now();
    const { p50Ms, p99Ms } = await load.offer();
    const over = await allSettled(arena, warmUp + requests);
    const cpu = cpuBetween(before, readCpu(watched));
    const elapsedMs = over.atMs(await lastWriteAt(arena.db, 'operations')) - startedMs;
    await allAcknowledged(arena);
    await checkBooks(arena, booksOfTransfers(warmUp + requests));
    return {
      perSecond: (requests / elapsedMs) * 1_000,
      operations: requests,
      cpu,
      latencyMs: { p50: p50Ms, p99: p99Ms },
    };
  } finally {
    load?.stop();
    await Promise.all(processes.map((one) => one.stop()));
    await arena.close();
  }
}
