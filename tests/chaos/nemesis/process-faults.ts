import type { Child } from '../cluster/child.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { FaultKind, Strike } from './fault-kind.ts';
import { rollingRestart } from './rolling-restart.ts';
import { spawnSync } from 'node:child_process';

export const WORKERS = ['worker-1', 'worker-2', 'worker-3'] as const;
export const APIS = ['api-1', 'api-2'] as const;

function childOf(cluster: Cluster, name: string): Child {
  const found = [...cluster.apis, ...cluster.workers].find((child) => child.name === name);
  if (found === undefined) throw new Error(`there is no process ${name}`);
  return found;
}

const itself = (target: string): readonly string[] => [target];

function once(heal: () => Promise<void>, wasStruck: boolean, note?: string): Strike {
  return { strikes: () => (wasStruck ? 1 : 0), heal, ...(note !== undefined && { note }) };
}

const killed = async (cluster: Cluster, name: string): Promise<Strike> => {
  const child = childOf(cluster, name);
  const wasStruck = child.kill();
  return once(async () => {
    child.start();
    await child.waitUntilReady();
  }, wasStruck);
};

const paused = async (cluster: Cluster, name: string): Promise<Strike> => {
  const child = childOf(cluster, name);
  const wasStruck = child.signal('SIGSTOP');
  return once(async () => {
    child.signal('SIGCONT');
  }, wasStruck);
};

/** It runs with other surroundings for a while. */
const changed = async (
  cluster: Cluster,
  name: string,
  change: Parameters<Child['start']>[0],
  note: string,
): Promise<Strike> => {
  const child = childOf(cluster, name);
  child.kill();
  await child.stop();
  child.start(change);
  return once(
    async () => {
      child.kill();
      await child.stop();
      child.start();
      await child.waitUntilReady();
    },
    true,
    note,
  );
};

const SKEW_MS = 300_000;
const HEAP_MB = 64;
const DESCRIPTORS = 40;
const USUAL_DESCRIPTORS = 65_536;

const WORKER_EDGES = [
  'settle.before-transaction',
  'settle.in-transaction',
  'settle.before-commit',
  'settle.after-commit',
  'settle.after-publish',
  'saga.after-claim',
  'saga.before-call',
  'saga.after-call',
  'saga.before-journal',
  'saga.after-journal',
  'saga.before-commit',
  'saga.after-commit',
  'notify.after-insert',
  'notify.after-claim',
  'notify.after-send',
] as const;

export const PROCESS_FAULTS: readonly FaultKind[] = [
  {
    name: 'kill-worker',
    summary: 'kill -9 of a worker',
    covers: ['F1'],
    targets: WORKERS,
    claims: itself,
    seconds: [1, 5],
    strike: ({ cluster, target }) => killed(cluster, target),
  },
  {
    name: 'kill-api',
    summary: 'kill -9 of an API',
    covers: ['F4'],
    targets: APIS,
    claims: itself,
    seconds: [1, 4],
    strike: ({ cluster, target }) => killed(cluster, target),
  },
  {
    name: 'pause-worker',
    summary: 'a worker stopped beyond its leases, then continued',
    covers: ['F3'],
    targets: WORKERS,
    claims: itself,
    seconds: { production: [32, 38], quick: [5, 7] },
    strike: ({ cluster, target }) => paused(cluster, target),
  },
  {
    name: 'pause-api',
    summary: 'an API stopped, as by a blocked event loop, then continued',
    covers: ['F25'],
    targets: APIS,
    claims: itself,
    seconds: [3, 12],
    strike: ({ cluster, target }) => paused(cluster, target),
  },
  {
    name: 'block-worker',
    summary: 'a worker stopped for less than its leases, as by a blocked event loop',
    covers: ['F25'],
    targets: WORKERS,
    claims: itself,
    seconds: { production: [8, 20], quick: [1, 2] },
    strike: ({ cluster, target }) => paused(cluster, target),
  },
  {
    name: 'crash-worker-at-edge',
    summary: 'a worker kills itself at a commit edge, again and again',
    covers: ['F2'],
    targets: WORKERS,
    claims: itself,
    seconds: [5, 10],
    strike: ({ cluster, target, random }) => {
      const edge = random.pick(WORKER_EDGES);
      const env = { FAILPOINTS: `${edge}@${String(random.between(2, 6))}` };
      return changed(cluster, target, { env }, edge);
    },
  },
  {
    name: 'crash-api-at-edge',
    summary: 'an API kills itself between insert and enqueue, again and again',
    covers: ['F2', 'F4'],
    targets: APIS,
    claims: itself,
    seconds: [5, 10],
    strike: ({ cluster, target, random }) => {
      const edge = random.pick(['ingest.before-insert', 'ingest.after-insert']);
      const env = { FAILPOINTS: `${edge}@${String(random.between(3, 10))}` };
      return changed(cluster, target, { env }, edge);
    },
  },
  {
    name: 'skewed-clock',
    summary: 'the wall clock of a process is five minutes off',
    covers: ['F18'],
    targets: [...WORKERS, ...APIS],
    claims: itself,
    seconds: [6, 12],
    strike: ({ cluster, target, random }) => {
      const skewMs = random.pick([-SKEW_MS, SKEW_MS]);
      const skewed = cluster.built.file('tests/faults/fixtures/skewed-clock.ts');
      const change = { env: { FAULTS_SKEW_MS: String(skewMs) }, node: ['--import', skewed] };
      return changed(cluster, target, change, `${String(skewMs / 1_000)} s`);
    },
  },
  {
    name: 'small-heap-worker',
    summary: `a worker with a heap of ${String(HEAP_MB)} MB`,
    covers: ['F27'],
    targets: WORKERS,
    claims: itself,
    seconds: [6, 10],
    strike: ({ cluster, target }) =>
      changed(cluster, target, { node: [`--max-old-space-size=${String(HEAP_MB)}`] }, 'heap'),
  },
  {
    name: 'few-descriptors',
    summary: `a process that may open no more than ${String(DESCRIPTORS)} files`,
    covers: ['F28'],
    targets: [...WORKERS, ...APIS],
    claims: itself,
    seconds: [3, 8],
    strike: async ({ cluster, target }) => {
      const child = childOf(cluster, target);
      const limit = (count: number): boolean => limitDescriptors(child.pid(), count);
      const wasStruck = limit(DESCRIPTORS);
      return once(async () => void limit(USUAL_DESCRIPTORS), wasStruck);
    },
  },
  {
    name: 'rolling-restart',
    summary: 'SIGTERM of every API and worker, one after the other',
    covers: ['F26'],
    targets: ['all'],
    claims: () => [...WORKERS, ...APIS],
    seconds: [1, 2],
    strike: ({ cluster }) => rollingRestart(cluster),
  },
];

function limitDescriptors(pid: number | undefined, count: number): boolean {
  if (pid === undefined) return false;
  const limit = `--nofile=${String(count)}:${String(USUAL_DESCRIPTORS)}`;
  return spawnSync('prlimit', ['--pid', String(pid), limit], { timeout: 5_000 }).status === 0;
}
