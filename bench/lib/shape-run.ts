import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { TENANT, openWallets } from './load.ts';
import { readLooks } from './looks.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess } from './processes.ts';
import { askForSweep } from './sweeps.ts';
import { HOT_PAYER, type Waiting, acceptWaiting, fillStripes, makeOverdue } from './waiting.ts';

export interface ShapeScenario {
  /** What waits when the clock starts, the oldest first. */
  readonly waiting: readonly Waiting[];
  /** Movements of money before the clock starts, and while it runs; the rest is left where it is. */
  readonly warmUp: number;
  readonly movements: number;
  readonly wallets: number;
  /** Recovery is in the same process, and everything that waits is overdue. */
  readonly recovery?: true;
  /** Of the worker, in megabytes. */
  readonly heapMb?: number;
  /** Full stripes of the system wallet before one with room. */
  readonly fullStripes?: number;
}

const SAMPLE_MS = 5;
const STALL_MS = 60_000;

/**
 * Lets a worker begin with what waits and measures a part of it, once the worker is warm: what that
 * part costs beside all the rest, which is left where it is.
 */
export async function runShape(
  deps: RunDeps,
  scenario: ShapeScenario,
  seed: number,
): Promise<Sample> {
  const arena = await openArena(deps.urls);
  let worker: BenchProcess | undefined;
  try {
    await putThere(arena, scenario, seed);
    worker = startShapeWorker(arena, scenario, deps);
    return await measure(deps, { arena, scenario, worker });
  } finally {
    worker?.kill();
    await worker?.stop();
    await arena.close();
  }
}

async function putThere(arena: Arena, scenario: ShapeScenario, seed: number): Promise<void> {
  const { wallets, waiting, fullStripes, recovery } = scenario;
  await openWallets(arena, wallets);
  if (fullStripes !== undefined) await fillStripes(arena, fullStripes);
  for (const [index, one] of waiting.entries()) {
    await acceptWaiting(arena, one, { wallets, seed: seed + index, label: `run${index}` });
  }
  if (recovery === true) await makeOverdue(arena);
}

function startShapeWorker(
  arena: Arena,
  { recovery, heapMb }: ShapeScenario,
  { log }: RunDeps,
): BenchProcess {
  const pools = recovery === true ? 'settlement,recovery' : 'settlement';
  return startProcess({
    script: 'workers/main.ts',
    env: { ...arena.processEnv, WORKER_POOLS: pools, LOG_LEVEL: 'fatal' },
    log,
    nodeArgs: heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`],
  });
}

interface ShapeRun {
  readonly arena: Arena;
  readonly scenario: ShapeScenario;
  readonly worker: BenchProcess;
}

async function measure(deps: RunDeps, { arena, scenario, worker }: ShapeRun): Promise<Sample> {
  const { warmUp, movements, recovery } = scenario;
  const watched = { node: [worker.pid], servers: deps.servers };
  const start = await movedAtLeast({ arena, worker }, warmUp);
  const before = readCpu(watched);
  const hotBefore = await countHot(arena);
  const looksBefore = await readLooks(arena.db);
  if (recovery === true) await askForSweep(arena);
  const end = await movedAtLeast({ arena, worker }, start.moved + movements);
  const cpu = cpuBetween(before, readCpu(watched));
  const looks = (await readLooks(arena.db)) - looksBefore;
  worker.freeze();
  const hot = (await countHot(arena)) - hotBefore;
  await checkEntries(arena);
  const operations = end.moved - start.moved;
  const perSecond = (count: number): number => (count / (end.atMs - start.atMs)) * 1_000;
  return {
    perSecond: perSecond(operations),
    othersPerSecond: perSecond(Math.max(0, operations - hot)),
    operations,
    cpu,
    looks: looks / operations,
    peakMb: peakMbOf(worker.pid),
  };
}

interface Moved {
  readonly moved: number;
  readonly atMs: number;
}

/** By the cheap count of entries, which is two per movement. */
async function movedAtLeast(
  { arena, worker }: Pick<ShapeRun, 'arena' | 'worker'>,
  total: number,
): Promise<Moved> {
  const entries = arena.db.collection('transactions');
  let last = -1;
  let changedMs = performance.now();
  for (;;) {
    const moved = (await entries.estimatedDocumentCount()) / 2;
    const atMs = performance.now();
    if (moved >= total) return { moved, atMs };
    if (worker.hasEnded()) throw new Error(`The worker has ended at ${moved} movements`);
    if (moved !== last) changedMs = atMs;
    last = moved;
    if (atMs - changedMs > STALL_MS) {
      throw new Error(`Settlement has stopped at ${moved} of ${total} movements`);
    }
    await sleep(SAMPLE_MS);
  }
}

async function countHot({ db }: Arena): Promise<number> {
  return db.collection('transfers').countDocuments({ tenantId: TENANT, fromUserId: HOT_PAYER });
}

/** A bench that loses or makes up money fails. */
async function checkEntries({ db }: Arena): Promise<void> {
  const signed = {
    $cond: [{ $eq: ['$direction', 'credit'] }, '$amount', { $multiply: ['$amount', -1] }],
  };
  const [found] = await db
    .collection('transactions')
    .aggregate<{ readonly count: number; readonly sum: unknown }>([
      { $group: { _id: null, count: { $sum: 1 }, sum: { $sum: signed } } },
    ])
    .toArray();
  if (found !== undefined && Number(found.sum) === 0 && found.count % 2 === 0) return;
  throw new Error(`The entries are wrong: ${JSON.stringify(found)}`);
}

/** The most that the process has had in memory so far. */
function peakMbOf(pid: number): number {
  const kb = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb ?? Number.NaN) / 1_024;
}
