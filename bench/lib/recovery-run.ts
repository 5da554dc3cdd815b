import { setTimeout as sleep } from 'node:timers/promises';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { openWallets } from './load.ts';
import { readLooks } from './looks.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';
import { askForSweep, sweepsEnded } from './sweeps.ts';
import { acceptWaiting, makeOverdue } from './waiting.ts';

export interface RecoveryScenario {
  /** Healthy: each has its job. */
  readonly waiting: number;
  readonly wallets: number;
}

/** Of the timers, which tick once a second, after the sweep. */
const TIMERS_MS = 4_000;

/**
 * What a sweep and a few seconds of the timers look at beside a backlog in which nothing is lost: recovery
 * runs alone, nobody settles. One sweep, since the next would step over what this one has put off.
 */
export async function runRecovery(
  deps: RunDeps,
  { waiting: count, wallets }: RecoveryScenario,
  seed: number,
): Promise<Sample> {
  const arena = await openArena(deps.urls);
  let worker: BenchProcess | undefined;
  try {
    await openWallets(arena, wallets);
    const waiting = { what: 'uniform', count } as const;
    await acceptWaiting(arena, waiting, { wallets, seed, label: 'run' });
    await makeOverdue(arena);
    const jobs = await standingJobs(arena);
    const looksBefore = await readLooks(arena.db);
    const before = readCpu({ node: [], servers: deps.servers });
    const startedMs = performance.now();
    worker = startProcess({
      script: 'workers/main.ts',
      env: { ...arena.processEnv, WORKER_POOLS: 'recovery', LOG_LEVEL: 'fatal' },
      log: deps.log,
    });
    await askForSweep(arena);
    await until('a sweep', async () => (await sweepsEnded(arena)) > 0);
    await sleep(TIMERS_MS);
    const cpu = cpuBetween(before, readCpu({ node: [worker.pid], servers: deps.servers }));
    const looks = (await readLooks(arena.db)) - looksBefore;
    if ((await standingJobs(arena)) !== jobs) throw new Error('Recovery has made jobs anew');
    const perSecond = 1_000 / (performance.now() - startedMs);
    return { perSecond, operations: 1, cpu, looks };
  } finally {
    worker?.kill();
    await worker?.stop();
    await arena.close();
  }
}

async function standingJobs({ queues }: Arena): Promise<number> {
  const lanes = [...queues.byName.values()].filter(({ name }) => name.startsWith('settlement-'));
  const counts = await Promise.all(lanes.map((queue) => queue.getJobCountByTypes('waiting')));
  return counts.reduce((total, one) => total + one, 0);
}
