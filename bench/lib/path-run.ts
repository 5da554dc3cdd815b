import { type Arena, openArena } from './arena.ts';
import { booksOfTransfers, checkBooks } from './check-books.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { lastWriteAt, whenOver } from './ending.ts';
import { BENCH_KEY, startApi } from './http-side.ts';
import { TENANT, openWallets } from './load.ts';
import { type LoadProcess, startLoad } from './load-process.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type BenchProcess, startProcess } from './processes.ts';
import { type ReceiverProcess, startReceiverProcess } from './receiver-process.ts';
import { secretsOf, storeEndpoints } from './webhook-world.ts';
import { allSettled } from './workers.ts';

export interface PathScenario {
  /** Each is told of every transfer. 0: nobody is, and the clock stops with the last settlement. */
  readonly endpoints: number;
  readonly connections: number;
  readonly transfers: number;
  /** Accepted, settled and told before the clock starts, by the same processes. */
  readonly warmUp: number;
  readonly wallets: number;
}

interface PathRun {
  readonly arena: Arena;
  readonly scenario: PathScenario;
  readonly receiver: ReceiverProcess;
  readonly load: LoadProcess;
  readonly processes: readonly BenchProcess[];
}

/**
 * From the first request to the last webhook that is received: one API process, one worker process with
 * every pool, as `npm start` has them.
 */
export async function runPath(
  deps: RunDeps,
  scenario: PathScenario,
  seed: number,
): Promise<Sample> {
  const arena = await openArena(deps.urls);
  const processes: BenchProcess[] = [];
  let load: LoadProcess | undefined;
  let receiver: ReceiverProcess | undefined;
  try {
    await openWallets(arena, scenario.wallets);
    receiver = await startReceiverProcess(deps.log);
    await subscribe(arena, receiver, scenario.endpoints);
    processes.push(startWholeWorker(arena, deps));
    const api = await startApi(arena, { side: 'ours', log: deps.log });
    processes.push(api);
    const { connections } = scenario;
    load = await startLoad({ port: api.port, connections, apiKey: BENCH_KEY });
    return await measure(deps, { arena, scenario, receiver, load, processes }, seed);
  } finally {
    load?.stop();
    await Promise.all(processes.map((one) => one.stop()));
    await receiver?.process.stop();
    await arena.close();
  }
}

/** Every pool; it may send to this machine. */
export function startWholeWorker(
  arena: Arena,
  { log }: Pick<RunDeps, 'log'>,
  env: Readonly<Record<string, string>> = {},
): BenchProcess {
  const pools = { WORKER_POOLS: 'settlement,saga,notification,recovery' };
  const local = { WEBHOOK_ALLOW_PRIVATE: 'loopback', NODE_ENV: 'development' };
  return startProcess({
    script: 'workers/main.ts',
    env: { ...arena.processEnv, ...pools, ...local, ...env },
    log,
  });
}

/** Endpoints that want to know of what was settled and nothing else. */
export async function subscribe(
  arena: Arena,
  receiver: ReceiverProcess,
  count: number,
): Promise<void> {
  if (count === 0) return;
  const specs = Array.from({ length: count }, (_, index) => {
    const name = `e${String(index)}`;
    const events = ['transfer.settled', 'deposit.settled'];
    return { name, tenantId: TENANT, url: receiver.urlOf(name, { host: index }), events };
  });
  await receiver.trust(secretsOf(await storeEndpoints(arena, specs)));
}

async function measure(deps: RunDeps, run: PathRun, seed: number): Promise<Sample> {
  const { arena, scenario, receiver, load, processes } = run;
  const { wallets, warmUp, transfers, endpoints } = scenario;
  await load.prepare({ count: warmUp, wallets, seed: seed + 1_000, label: 'warm' });
  await load.offer();
  await allSettled(arena, warmUp);
  await allReceived(receiver, endpoints * warmUp);
  await load.prepare({ count: transfers, wallets, seed, label: 'run' });
  const watched = {
    node: processes.map(({ pid }) => pid),
    load: [load.pid, receiver.process.pid],
    servers: deps.servers,
  };
  const before = readCpu(watched);
  const startedMs = performance.now();
  await load.offer();
  const settled = await allSettled(arena, warmUp + transfers);
  const settledMs = settled.atMs(await lastWriteAt(arena.db, 'operations')) - startedMs;
  const webhooks = endpoints * (warmUp + transfers);
  const over = await allReceived(receiver, webhooks);
  const cpu = cpuBetween(before, readCpu(watched));
  const { lastAt } = await receiver.counts();
  const elapsedMs = endpoints === 0 ? settledMs : over.atMs(lastAt) - startedMs;
  await allDealtWith(arena);
  await checkBooks(arena, { ...booksOfTransfers(warmUp + transfers), events: undefined });
  await checkReceived(run, webhooks);
  const operations = Math.max(1, endpoints) * transfers;
  const settledPerSecond = (transfers / settledMs) * 1_000;
  return { perSecond: (operations / elapsedMs) * 1_000, operations, cpu, settledPerSecond };
}

async function allReceived(receiver: ReceiverProcess, total: number) {
  return whenOver({
    what: `${String(total)} webhooks are received`,
    isOver: async () => (await receiver.counts()).received >= total,
    withinMs: 600_000,
  });
}

/** Rows that nobody wants to hear of are taken away as well, and what was received is recorded. */
async function allDealtWith({ db }: Arena): Promise<void> {
  const open = { status: { $in: ['pending', 'sending'] }, nextCheckAt: { $exists: true } };
  await whenOver({
    what: 'the outbox is empty and no delivery open',
    isOver: async () =>
      (await db.collection('outbox').estimatedDocumentCount()) === 0 &&
      (await db.collection('deliveries').findOne(open, { projection: { _id: 1 } })) === null,
  });
}

/** Each endpoint was told of each transfer once, and it is stored that it was. */
async function checkReceived({ arena, receiver }: PathRun, total: number): Promise<void> {
  const { received, distinct, repeated, unsigned } = await receiver.counts();
  const stored = await arena.db.collection('deliveries').countDocuments({ status: 'sent' });
  const isRight = received === total && distinct === total && stored === total;
  if (isRight && repeated === 0 && unsigned === 0) return;
  const found = JSON.stringify({ received, distinct, repeated, unsigned, stored });
  throw new Error(`Of ${String(total)} webhooks there are ${found}`);
}
