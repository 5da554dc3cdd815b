import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { createEventStream } from '../../core/events/stream.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { BENCH_KEY, startApi } from './http-side.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, ROOT } from './processes.ts';
import { median } from './stats.ts';

export interface RealtimeScenario {
  readonly streams: number;
  readonly sockets: number;
  /** One after another, each when the one before has reached everybody. */
  readonly broadcasts: number;
}

const delaysSchema = z.object({ delays: z.array(z.number()) });
const REST_MS = 100;
const WITHIN_MS = 60_000;

/** How long an event takes from its append to every client of one of two API processes. */
export async function runRealtime(deps: RunDeps, scenario: RealtimeScenario): Promise<Sample> {
  const { streams, sockets, broadcasts } = scenario;
  const arena = await openArena(deps.urls);
  const apis: BenchProcess[] = [];
  const children: ChildProcess[] = [];
  try {
    const first = await startApi(arena, { side: 'ours', log: deps.log });
    const second = await startApi(arena, { side: 'ours', log: deps.log });
    apis.push(first, second);
    const crowd = startClients(children);
    await told(crowd, { port: first.port, streams, sockets, apiKey: BENCH_KEY });
    const other = startClients(children); // the other process has something to do as well
    await told(other, { port: second.port, streams: 1, sockets: 1, apiKey: BENCH_KEY });
    const watched = {
      node: apis.map(({ pid }) => pid),
      load: children.flatMap(({ pid }) => pid ?? []),
      servers: deps.servers,
    };
    const emit = openEmitter(arena);
    await broadcast(crowd, emit); // warms up
    const before = readCpu(watched);
    const startedMs = performance.now();
    const delays: number[] = [];
    for (let count = 0; count < broadcasts; count += 1) {
      delays.push(...(await broadcast(crowd, emit)));
      await sleep(REST_MS);
    }
    const elapsedMs = performance.now() - startedMs - broadcasts * REST_MS;
    const cpu = cpuBetween(before, readCpu(watched));
    await emit.close();
    const sorted = delays.sort((a, b) => a - b);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    const operations = delays.length;
    const latencyMs = { p50: median(sorted), p99 };
    return { perSecond: (operations / elapsedMs) * 1_000, operations, cpu, latencyMs };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(apis.map((one) => one.stop()));
    await arena.close();
  }
}

function startClients(children: ChildProcess[]): ChildProcess {
  const script = join(ROOT, 'bench', 'realtime-clients.ts');
  const child = fork(script, { cwd: ROOT, execArgv: ['--import', 'tsx'] });
  children.push(child);
  return child;
}

/** Sends something, if there is something to send, and waits for what comes back. */
async function told(child: ChildProcess, message?: object): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`The clients have not got everything within ${WITHIN_MS} ms`));
    }, WITHIN_MS);
    const ended = (): void => {
      clearTimeout(timer);
      reject(new Error('The clients ended'));
    };
    child.once('exit', ended);
    child.once('message', (value) => {
      clearTimeout(timer);
      child.off('exit', ended);
      resolve(value);
    });
    if (message !== undefined) child.send(message);
  });
}

/** Appends as the consumer of the outbox does. */
function openEmitter({ env }: Arena) {
  const redis = new Redis(env.REDIS_URL);
  const stream = createEventStream(redis, env.QUEUE_PREFIX);
  let count = 0;
  const emit = async (): Promise<void> => {
    count += 1;
    const operationId = `op_${String(count).padStart(32, '0')}` as const;
    const at = String(performance.timeOrigin + performance.now());
    const data = { transferId: `trf_${count}`, fromUserId: 'ann', toUserId: 'bob', at };
    const event = { id: `${operationId}.e1`, name: 'transfer.settled', operationId, data };
    await stream.append({ _id: `obx_${count}`, tenantId: 'default', events: [event] });
  };
  return Object.assign(emit, {
    close: async () => {
      await redis.quit();
    },
  });
}

async function broadcast(crowd: ChildProcess, emit: () => Promise<void>): Promise<number[]> {
  const heard = told(crowd);
  await emit();
  return delaysSchema.parse(await heard).delays;
}
