import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { FailpointName } from '../../core/kernel/failpoint.ts';
import type { TestDatabase } from './database.ts';
import { ROOT } from './tidy/tree.ts';

interface WorkerOptions {
  readonly pools?: string;
  /** Kills the process there, with SIGKILL; `@N`: the N-th time. */
  readonly failpoint?: FailpointName | `${FailpointName}@${number}`;
  /** Of its old generation. */
  readonly heapMb?: number;
  readonly lanes?: number;
}

export interface WorkerProcess {
  /** How it ended; waits for it. */
  readonly ended: Promise<NodeJS.Signals | number | undefined>;
  /** The end of what it wrote. */
  output(): string;
  stop(): Promise<void>;
}

const OUTPUT_CHARS_MAX = 20_000;

/** A real worker on the test's database; stopped when the test ends. */
export function spawnWorker(database: TestDatabase, options: WorkerOptions = {}): WorkerProcess {
  const { pools = 'settlement', failpoint, heapMb, lanes } = options;
  const heap = heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`];
  const child = spawn(process.execPath, [...heap, '--import', 'tsx', 'workers/main.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      MONGO_URL: database.mongoUrl,
      REDIS_URL: database.redisUrl,
      MONGO_DB: database.name,
      QUEUE_PREFIX: database.name,
      WORKER_POOLS: pools,
      SETTLEMENT_LANES: lanes === undefined ? '' : String(lanes),
      LOG_LEVEL: 'info',
      FAILPOINTS: failpoint ?? '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'exit').then(([code, signal]: (NodeJS.Signals | number | null)[]) => {
    return signal ?? code ?? undefined;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  };
  onTestFinished(stop);
  return { ended, output: () => text, stop };
}
