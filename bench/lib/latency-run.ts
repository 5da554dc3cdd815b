import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openArena } from './arena.ts';
import { checkBooks } from './check-books.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { BENCH_KEY, startApi } from './http-side.ts';
import { openWallets } from './load.ts';
import type { Latency, RunDeps, Sample } from './measure.ts';
import { startWholeWorker, subscribe } from './path-run.ts';
import { type BenchProcess, until } from './processes.ts';
import { startProviderProcess } from './provider-process.ts';
import { type ReceiverProcess, startReceiverProcess } from './receiver-process.ts';
import { latencyOf } from './stats.ts';
import { CURRENCY, userName } from './transfers.ts';

export interface LatencyScenario {
  /** `alone`: one after another, with a rest between them, on a stack that has nothing else to do. */
  readonly load:
    'alone' | { readonly transfersPerSecond: number; readonly depositsPerSecond: number };
  /** Of each kind when alone; else as many transfers, and deposits meanwhile. */
  readonly requests: number;
}

const WALLETS = 1_000;
const WARM_UP = 10;
/** Long enough for a webhook to go out meanwhile. */
const REST_MS = 250;

interface Asked {
  readonly kind: 'accepted' | 'settled' | 'deposited';
  readonly id: string;
  readonly sentAt: number;
  readonly ms: number;
}

type Ask = (kind: Asked['kind']) => Promise<Asked>;

/**
 * How long one has to wait: for the 202, for the answer of one who waits for the outcome of a transfer or
 * of a deposit, and for the webhook that tells of the transfer.
 */
export async function runLatency(deps: RunDeps, scenario: LatencyScenario): Promise<Sample> {
  const arena = await openArena(deps.urls);
  const processes: BenchProcess[] = [];
  try {
    await openWallets(arena, WALLETS);
    const receiver = await startReceiverProcess(deps.log);
    const provider = await startProviderProcess(deps.log);
    await receiver.arrivals(); // from now on it notes them
    await subscribe(arena, receiver, 1);
    const measured = [startWholeWorker(arena, deps, provider.env)];
    processes.push(receiver.process, provider.process, ...measured);
    const api = await startApi(arena, { side: 'ours', log: deps.log });
    measured.push(api);
    processes.push(api);
    const ask = createAsk(api.port);
    const warm = await alone(ask, WARM_UP, 0);
    const watched = {
      node: measured.map(({ pid }) => pid),
      load: [receiver.process.pid, provider.process.pid],
      servers: deps.servers,
    };
    const before = readCpu(watched);
    const startedMs = performance.now();
    const { load, requests } = scenario;
    const asked = await (load === 'alone'
      ? alone(ask, requests, REST_MS)
      : together(ask, { ...load, requests }));
    const elapsedMs = performance.now() - startedMs;
    const cpu = cpuBetween(before, readCpu(watched));
    const all = [...warm, ...asked];
    await allTold(receiver, all.length);
    const transfers = all.filter(({ kind }) => kind !== 'deposited').length;
    const each = 2 * all.length;
    await checkBooks(arena, { operations: all.length, entries: each, transfers });
    const latencies = await latenciesOf(receiver, asked);
    const operations = asked.length;
    return { perSecond: (operations / elapsedMs) * 1_000, operations, cpu, latencies };
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await arena.close();
  }
}

const viewSchema = z.object({ id: z.string(), status: z.string() });

function createAsk(port: number): Ask {
  let count = 0;
  return async (kind) => {
    count += 1;
    const userId = userName(count % WALLETS);
    const money = { currency: CURRENCY, amount: '100' };
    const body =
      kind === 'deposited'
        ? { type: 'deposit', input: { ...money, userId, instrument: 'card' } }
        : {
            type: 'transfer',
            input: { ...money, fromUserId: userId, toUserId: userName((count + 1) % WALLETS) },
          };
    const sentAt = Date.now();
    const startedMs = performance.now();
    const answer = await fetch(`http://127.0.0.1:${String(port)}/v1/operations`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${BENCH_KEY}`,
        'idempotency-key': `ask-${String(count)}`,
        ...(kind !== 'accepted' && { prefer: 'wait=20' }),
      },
      body: JSON.stringify(body),
    });
    const view = viewSchema.parse(await answer.json());
    const ms = performance.now() - startedMs;
    if (kind !== 'accepted' && view.status !== 'succeeded') {
      throw new Error(`A ${kind} request was answered ${view.status}`);
    }
    return { kind, id: view.id, sentAt, ms };
  };
}

async function alone(ask: Ask, rounds: number, restMs: number): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of ['accepted', 'settled', 'deposited'] as const) {
      asked.push(await ask(kind));
      await sleep(restMs);
    }
  }
  return asked;
}

interface Offered {
  readonly requests: number;
  readonly transfersPerSecond: number;
  readonly depositsPerSecond: number;
}

/** By the clock, whether or not the ones before have been answered. */
async function together(
  ask: Ask,
  { requests, transfersPerSecond, depositsPerSecond }: Offered,
): Promise<readonly Asked[]> {
  const seconds = requests / transfersPerSecond;
  const dueOf = (kind: Asked['kind'], count: number) =>
    Array.from({ length: count }, (_, index) => ({
      kind,
      atMs: (index / count) * seconds * 1_000,
    }));
  const due = [
    ...dueOf('settled', requests),
    ...dueOf('deposited', Math.round(seconds * depositsPerSecond)),
  ].sort((a, b) => a.atMs - b.atMs);
  const startedMs = performance.now();
  const answers: Promise<Asked>[] = [];
  for (const { kind, atMs } of due) {
    const leftMs = startedMs + atMs - performance.now();
    if (leftMs > 0) await sleep(leftMs);
    answers.push(ask(kind));
  }
  return Promise.all(answers);
}

async function allTold(receiver: ReceiverProcess, total: number): Promise<void> {
  const isSo = async (): Promise<boolean> => (await receiver.counts()).received >= total;
  await until(`${String(total)} webhooks are received`, isSo, { everyMs: 500 });
  const { received, distinct, repeated } = await receiver.counts();
  if (received === total && distinct === total && repeated === 0) return;
  throw new Error(
    `Of ${String(total)} webhooks ${JSON.stringify({ received, distinct, repeated })}`,
  );
}

async function latenciesOf(
  receiver: ReceiverProcess,
  asked: readonly Asked[],
): Promise<Readonly<Record<string, Latency>>> {
  const arrivals = await receiver.arrivals();
  const tookOf = (kind: Asked['kind']) =>
    asked.filter((one) => one.kind === kind).map(({ ms }) => ms);
  const told = asked
    .filter(({ kind }) => kind !== 'deposited')
    .map(({ id, sentAt }) => (arrivals[id] ?? Number.NaN) - sentAt);
  const took = {
    accepted: tookOf('accepted'),
    settled: tookOf('settled'),
    told,
    deposited: tookOf('deposited'),
  };
  return Object.fromEntries(
    Object.entries(took).flatMap(([name, list]) =>
      list.length === 0 ? [] : [[name, latencyOf(list)] as const],
    ),
  );
}
