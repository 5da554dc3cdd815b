import { setTimeout as sleep } from 'node:timers/promises';
import { type Arena, openArena } from './arena.ts';
import { type Books, checkBooks } from './check-books.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { type Over, lastWriteAt, noneOpen, whenOver } from './ending.ts';
import { type Side, acceptAll, openWallets } from './load.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';
import { type ProviderProcess, startProviderProcess } from './provider-process.ts';
import { CURRENCY, userName } from './transfers.ts';
import { allAcknowledged } from './workers.ts';

export type PaymentType = 'deposit' | 'withdrawal';

export interface PaymentScenario {
  readonly side: Side;
  readonly type: PaymentType;
  readonly payments: number;
  /** Finished before the clock starts, by the same process. */
  readonly warmUp: number;
}

interface PaymentRun {
  readonly arena: Arena;
  readonly scenario: PaymentScenario;
  readonly worker: BenchProcess;
  readonly provider: ProviderProcess;
}

/**
 * Takes deposits, or withdrawals, to their end that are accepted and enqueued when the clock starts.
 * Each is of a user of its own, so that none stands in line behind another.
 */
export async function runPayments(deps: RunDeps, scenario: PaymentScenario): Promise<Sample> {
  const arena = await openArena(deps.urls);
  const processes: BenchProcess[] = [];
  try {
    await openWallets(arena, scenario.warmUp + scenario.payments);
    const provider = await startProviderProcess(deps.log);
    processes.push(provider.process);
    const worker = startWorker(arena, { side: scenario.side, provider, deps });
    processes.push(worker);
    await until('the worker is ready', () => isReady(arena, scenario.side, worker));
    return await measure(deps, { arena, scenario, worker, provider });
  } finally {
    for (const one of processes) one.resume();
    await Promise.all(processes.map((one) => one.stop()));
    await arena.close();
  }
}

interface WorkerOptions {
  readonly side: Side;
  readonly provider: ProviderProcess;
  readonly deps: RunDeps;
}

function startWorker(arena: Arena, { side, provider, deps }: WorkerOptions): BenchProcess {
  return startProcess({
    script: side === 'ours' ? 'workers/main.ts' : 'bench/baseline/worker.ts',
    env: {
      ...arena.processEnv,
      ...provider.env,
      WORKER_POOLS: 'saga,recovery',
      BENCH_CONCURRENCY: '64',
    },
    log: deps.log,
  });
}

/** Of ours the warm-up says so. */
function isReady(_arena: Arena, side: Side, { lines }: BenchProcess): boolean {
  return side === 'ours' || lines.includes('ready');
}

async function measure(deps: RunDeps, run: PaymentRun): Promise<Sample> {
  const { arena, scenario, worker, provider } = run;
  const { side, type, payments, warmUp } = scenario;
  const accept = async (from: number, count: number, label: string): Promise<void> =>
    acceptAll(arena, side, { type, inputs: inputsOf(from, count), label });
  await accept(0, warmUp, 'warm');
  await allEnded(arena, warmUp);
  await allAcknowledged(arena);
  worker.freeze();
  await accept(warmUp, payments, 'run');
  await sleep(200);
  const watched = {
    node: [worker.pid],
    load: [provider.process.pid],
    servers: deps.servers,
  };
  const before = readCpu(watched);
  const startedMs = performance.now();
  worker.resume();
  const over = await allEnded(arena, payments);
  const cpu = cpuBetween(before, readCpu(watched));
  const endedMs = over.atMs(await lastWriteAt(arena.db, 'operations'));
  await allAcknowledged(arena);
  await checkBooks(arena, booksOf(type, warmUp + payments));
  await checkProvider(provider, type, warmUp + payments);
  const perSecond = (payments / (endedMs - startedMs)) * 1_000;
  return { perSecond, operations: payments, cpu };
}

function inputsOf(from: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    userId: userName(from + index),
    currency: CURRENCY,
    amount: String(1_000 + index),
    instrument: 'card',
  }));
}

async function allEnded({ db }: Arena, count: number): Promise<Over> {
  return whenOver({
    what: `${String(count)} payments have ended`,
    isOver: () => noneOpen(db),
    withinMs: 300_000,
  });
}

/** A withdrawal locks, unlocks and pays; both tell that they have succeeded, and of what. */
function booksOf(type: PaymentType, count: number): Books {
  const entries = type === 'deposit' ? 2 : 6;
  return { operations: count, entries: entries * count, transfers: 0, events: 2 * count };
}

/** Each call was made once, and there is none that no payment has asked for. */
async function checkProvider(
  provider: ProviderProcess,
  type: PaymentType,
  count: number,
): Promise<void> {
  const found = await provider.calls();
  const wanted: Readonly<Record<string, number>> =
    type === 'deposit'
      ? { authorisations: count, captures: count, repeated: 0 }
      : { payouts: count, repeated: 0 };
  const names = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  const wrong = [...names].filter((name) => found[name] !== wanted[name]);
  if (wrong.length === 0) return;
  throw new Error(
    `The provider was called ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
  );
}
