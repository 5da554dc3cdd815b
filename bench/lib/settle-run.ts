import { setTimeout as sleep } from 'node:timers/promises';
import { LANES } from '../../queues/catalog.ts';
import type { Log } from '../../scripts/local/report.ts';
import { type Arena, type ServerUrls, openArena } from './arena.ts';
import { checkBooks } from './check-books.ts';
import { type CpuUse, type ServerPids, cpuBetween, readCpu } from './cpu.ts';
import { type Shape, type Side, acceptTransfers, openWallets, transferInputs } from './load.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

export interface SettleScenario {
  readonly side: Side;
  readonly shape: Shape;
  readonly processes: number;
  readonly transfers: number;
  /** Settled before the clock starts, by the same processes: connections, lanes, compiled code. */
  readonly warmUp: number;
  readonly wallets: number;
  readonly seed: number;
  readonly nodeArgs?: readonly string[];
}

export interface SettleResult {
  /** Settled per second, from the start of the clock to the last commit. */
  readonly perSecond: number;
  /** The same up to the moment when every job was acknowledged as well. */
  readonly drainedPerSecond: number;
  readonly cpu: CpuUse;
}

interface RunDeps {
  readonly urls: ServerUrls;
  readonly servers: ServerPids;
  readonly log: Log;
}

const SAMPLE_MS = 25;
const STALL_MS = 90_000;

/**
 * Settles transfers that are accepted and enqueued when the clock starts. The workers are up, idle
 * and warm by then: they are frozen (SIGSTOP) while the work is put into the queues, and the clock
 * starts when they go on.
 */
export async function runSettlement(
  deps: RunDeps,
  scenario: SettleScenario,
): Promise<SettleResult> {
  const arena = await openArena(deps.urls);
  const workers: BenchProcess[] = [];
  try {
    await openWallets(arena, scenario.wallets);
    for (let index = 0; index < scenario.processes; index += 1) {
      const script = scenario.side === 'ours' ? 'workers/main.ts' : 'bench/baseline/worker.ts';
      const nodeArgs = scenario.nodeArgs ?? [];
      workers.push(startProcess({ script, env: arena.processEnv, log: deps.log, nodeArgs }));
    }
    await allReady(arena, scenario, workers);
    return await measure(deps, { arena, scenario, workers });
  } finally {
    for (const worker of workers) worker.resume();
    await Promise.all(workers.map((worker) => worker.stop()));
    await arena.close();
  }
}

async function measure(
  deps: RunDeps,
  run: {
    readonly arena: Arena;
    readonly scenario: SettleScenario;
    readonly workers: readonly BenchProcess[];
  },
): Promise<SettleResult> {
  const { arena, scenario, workers } = run;
  const { side, wallets, shape, seed, transfers, warmUp } = scenario;
  const inputs = (count: number, more: number) =>
    transferInputs(count, { wallets, shape, seed: seed + more });
  await acceptTransfers(arena, side, { inputs: inputs(warmUp, 1_000), label: 'warm' });
  await allSettled(arena, warmUp);
  await until('the warm-up is acknowledged', async () => (await arena.unfinishedJobs()) === 0);

  for (const worker of workers) worker.freeze();
  await acceptTransfers(arena, side, { inputs: inputs(transfers, 0), label: 'run' });
  await sleep(200);
  const pids = workers.map(({ pid }) => pid);
  const before = readCpu(pids, deps.servers);
  const startedMs = performance.now();
  for (const worker of workers) worker.resume();
  await allSettled(arena, warmUp + transfers);
  const settledMs = performance.now() - startedMs;
  await until('all jobs are acknowledged', async () => (await arena.unfinishedJobs()) === 0, {
    everyMs: SAMPLE_MS,
  });
  const drainedMs = performance.now() - startedMs;
  const cpu = cpuBetween(before, readCpu(pids, deps.servers));
  await checkBooks(arena, warmUp + transfers);
  return {
    perSecond: (transfers / settledMs) * 1_000,
    drainedPerSecond: (transfers / drainedMs) * 1_000,
    cpu,
  };
}

/** The baseline says so itself; of ours every process must hold its share of the lanes. */
async function allReady(
  arena: Arena,
  scenario: SettleScenario,
  workers: readonly BenchProcess[],
): Promise<void> {
  if (scenario.side === 'baseline') {
    await until('the baseline worker is ready', () =>
      workers.every(({ lines }) => lines.includes('ready')),
    );
    return;
  }
  const share = Math.ceil(LANES.length / scenario.processes);
  await until('every worker holds its lanes', async () => {
    const owners = await arena.db
      .collection('leases')
      .aggregate<{ readonly lanes: number }>([
        { $match: { _id: { $regex: '^lane:' } } },
        { $group: { _id: '$owner', lanes: { $sum: 1 } } },
      ])
      .toArray();
    const total = owners.reduce((sum, owner) => sum + owner.lanes, 0);
    const isEven =
      owners.length === scenario.processes && owners.every(({ lanes }) => lanes <= share);
    return isEven && total === LANES.length;
  });
}

/** Polls the cheap count of transfers; the exact one is checked afterwards. */
async function allSettled(arena: Arena, total: number): Promise<void> {
  const transfers = arena.db.collection('transfers');
  let last = -1;
  let movedMs = performance.now();
  for (;;) {
    const count = await transfers.estimatedDocumentCount();
    if (count >= total) return;
    if (count !== last) movedMs = performance.now();
    last = count;
    if (performance.now() - movedMs > STALL_MS) {
      throw new Error(`Settlement has stopped at ${count} of ${total}`);
    }
    await sleep(SAMPLE_MS);
  }
}
