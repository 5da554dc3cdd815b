import { setTimeout as sleep } from 'node:timers/promises';
import { type Arena, openArena } from './arena.ts';
import { booksOfTransfers, checkBooks } from './check-books.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { lastWriteAt } from './ending.ts';
import { type Side, acceptTransfers, openWallets } from './load.ts';
import type { RunDeps, Sample } from './measure.ts';
import type { BenchProcess } from './processes.ts';
import { type Shape, transferInputs } from './transfers.ts';
import { allAcknowledged, allReady, allSettled, startWorkers } from './workers.ts';

export interface SettleScenario {
  readonly side: Side;
  readonly shape: Shape;
  readonly processes: number;
  readonly transfers: number;
  /** Settled by each process before the clock starts: connections, lanes, compiled code. */
  readonly warmUp: number;
  readonly wallets: number;
  readonly nodeArgs?: readonly string[];
}

export interface SettleResult extends Sample {
  /** By the monotonic clock of the machine, which profiles go by as well. */
  readonly window: { readonly fromUs: number; readonly toUs: number };
}

interface SettleRun {
  readonly arena: Arena;
  readonly scenario: SettleScenario;
  readonly seed: number;
  readonly workers: readonly BenchProcess[];
}

/**
 * Settles transfers that are accepted and enqueued when the clock starts. The workers are up, idle
 * and warm by then: they are frozen (SIGSTOP) while the work is put into the queues, and the clock
 * starts when they go on.
 */
export async function runSettlement(
  deps: RunDeps,
  scenario: SettleScenario,
  seed: number,
): Promise<SettleResult> {
  const arena = await openArena(deps.urls);
  const workers: BenchProcess[] = [];
  try {
    await openWallets(arena, scenario.wallets);
    workers.push(...startWorkers(arena, { ...scenario, log: deps.log }));
    await allReady(arena, scenario.side, workers);
    return await measure(deps, { arena, scenario, seed, workers });
  } finally {
    for (const worker of workers) worker.resume();
    await Promise.all(workers.map((worker) => worker.stop()));
    await arena.close();
  }
}

async function measure(deps: RunDeps, run: SettleRun): Promise<SettleResult> {
  const { arena, scenario, workers } = run;
  const { side, wallets, shape, transfers } = scenario;
  const warmUp = scenario.warmUp * scenario.processes;
  const inputs = (count: number, more: number) =>
    transferInputs(count, { wallets, shape, seed: run.seed + more });
  await acceptTransfers(arena, side, { inputs: inputs(warmUp, 1_000), label: 'warm' });
  await allSettled(arena, warmUp);
  await allAcknowledged(arena);

  for (const worker of workers) worker.freeze();
  await acceptTransfers(arena, side, { inputs: inputs(transfers, 0), label: 'run' });
  await sleep(200);
  const watched = { node: workers.map(({ pid }) => pid), servers: deps.servers };
  const before = readCpu(watched);
  const fromUs = monotonicUs();
  const startedMs = performance.now();
  for (const worker of workers) worker.resume();
  const over = await allSettled(arena, warmUp + transfers);
  await allAcknowledged(arena);
  const toUs = monotonicUs();
  const cpu = cpuBetween(before, readCpu(watched));
  const settledMs = over.atMs(await lastWriteAt(arena.db, 'operations')) - startedMs;
  await checkBooks(arena, booksOfTransfers(warmUp + transfers));
  return {
    perSecond: (transfers / settledMs) * 1_000,
    operations: transfers,
    cpu,
    window: { fromUs, toUs },
  };
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
