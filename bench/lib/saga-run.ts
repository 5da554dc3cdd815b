import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../../core/kernel/assert.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { type Over, lastWriteAt, noneOpen, whenOver } from './ending.ts';
import { openIngest } from './load.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';
import { SAGA_REGISTRY, SAGA_STEPS, SAGA_TYPE } from './saga-operation.ts';
import { allAcknowledged } from './workers.ts';

export interface SagaScenario {
  readonly processes: number;
  readonly sagas: number;
  /** Finished before the clock starts, by the same processes. */
  readonly warmUp: number;
  /** 1: every journal write makes its own round trip. */
  readonly groupMax?: number;
}

/** Finishes sagas that are accepted and enqueued when the clock starts. */
export async function runSagas(deps: RunDeps, scenario: SagaScenario): Promise<Sample> {
  const arena = await openArena(deps.urls);
  const workers: BenchProcess[] = [];
  try {
    workers.push(...startSagaWorkers(arena, scenario, deps));
    await until('the saga workers are ready', () =>
      workers.every(({ lines }) => lines.includes('ready')),
    );
    return await measure(deps, { arena, scenario, workers });
  } finally {
    for (const worker of workers) worker.resume();
    await Promise.all(workers.map((worker) => worker.stop()));
    await arena.close();
  }
}

function startSagaWorkers(
  arena: Arena,
  { processes, groupMax }: SagaScenario,
  { log }: RunDeps,
): BenchProcess[] {
  const env = {
    ...arena.processEnv,
    WORKER_POOLS: 'saga',
    ...(groupMax !== undefined && { BENCH_GROUP_MAX: String(groupMax) }),
  };
  return Array.from({ length: processes }, () =>
    startProcess({ script: 'bench/saga-worker.ts', env, log }),
  );
}

interface SagaRun {
  readonly arena: Arena;
  readonly scenario: SagaScenario;
  readonly workers: readonly BenchProcess[];
}

async function measure(deps: RunDeps, { arena, scenario, workers }: SagaRun): Promise<Sample> {
  const { sagas, warmUp } = scenario;
  await acceptSagas(arena, warmUp, 'warm');
  await allEnded(arena, warmUp);
  await allAcknowledged(arena);
  for (const worker of workers) worker.freeze();
  await acceptSagas(arena, sagas, 'run');
  await sleep(200);
  const watched = { node: workers.map(({ pid }) => pid), servers: deps.servers };
  const before = readCpu(watched);
  const startedMs = performance.now();
  for (const worker of workers) worker.resume();
  const over = await allEnded(arena, warmUp + sagas);
  await allAcknowledged(arena);
  const cpu = cpuBetween(before, readCpu(watched));
  const tookMs = over.atMs(await lastWriteAt(arena.db, 'operations')) - startedMs;
  await checkSagas(arena, warmUp + sagas);
  return { perSecond: (sagas / tookMs) * 1_000, operations: sagas, cpu };
}

const CHUNK = 500;

async function acceptSagas(arena: Arena, count: number, label: string): Promise<void> {
  const ingest = openIngest(arena, 'ours');
  const definition = present(SAGA_REGISTRY[SAGA_TYPE], `the type ${SAGA_TYPE}`);
  const submissions = Array.from({ length: count }, (_, index) => ({
    definition,
    input: { userId: `user-${String(index)}` },
    idempotencyKey: `${label}-${String(index)}`,
  }));
  const context = { tenantId: 'default', correlationId: `bench-${label}` };
  for (let start = 0; start < count; start += CHUNK) {
    const outcomes = await ingest.submit(submissions.slice(start, start + CHUNK), context);
    const refused = outcomes.find(({ kind }) => kind !== 'accepted');
    if (refused !== undefined) throw new Error(`not accepted: ${JSON.stringify(refused)}`);
  }
}

async function allEnded({ db }: Arena, total: number): Promise<Over> {
  return whenOver({
    what: `${String(total)} sagas have ended`,
    isOver: () => noneOpen(db),
    withinMs: 300_000,
  });
}

/** Every saga has run each of its steps once, and no job has failed. */
async function checkSagas(arena: Arena, total: number): Promise<void> {
  const operations = arena.db.collection<OperationDoc>('operations');
  const right = await operations.countDocuments({
    status: 'succeeded',
    epoch: 1,
    'steps.name': { $all: [...SAGA_STEPS] },
    steps: {
      $not: { $elemMatch: { $or: [{ status: { $ne: 'done' } }, { attempt: { $ne: 1 } }] } },
    },
  });
  const failed = await arena.failedJobs();
  if (right === total && failed === 0) return;
  throw new Error(
    `Of ${String(total)} sagas ${String(right)} are right; ${String(failed)} jobs failed`,
  );
}
