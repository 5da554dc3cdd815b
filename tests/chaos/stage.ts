import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../scripts/dev/servers/report.ts';
import type { Evidence, StruckFault } from './checker/evidence.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { scanLog } from './evidence/log-scan.ts';
import { readBalances, readQueues, watchQueues } from './evidence/quiet.ts';
import { type Reader, openReader } from './evidence/reader.ts';
import { readBooks } from './evidence/rows.ts';
import { type Sampler, startSampler } from './evidence/sampler.ts';
import {
  type Settling,
  makeProgress,
  resolveUnknown,
  watchDeliveries,
  watchSettling,
} from './liveness.ts';
import { FAULT_KINDS } from './nemesis/catalog.ts';
import type { Timing } from './nemesis/fault-kind.ts';
import { runNemesis } from './nemesis/nemesis.ts';
import type { PlannedFault } from './nemesis/plan.ts';
import { type Random, createRandom } from './random.ts';
import { type Stranger, setUp } from './setup.ts';
import { watchForLost } from './watch.ts';
import { type Client, createClient } from './workload/client.ts';
import { type History, openHistory } from './workload/history.ts';
import { startLoad } from './workload/load.ts';

/** A cluster with users and money in it, its clients, and those who look at it. */
export interface ChaosStage {
  readonly cluster: Cluster;
  readonly history: History;
  readonly sampler: Sampler;
  /** Breaks things under load; resolves once all of it is healed and no request is under way. */
  breakThings(plan: readonly PlannedFault[], how: Breaking): Promise<Broken>;
  /** Waits until everything has ended; `isCrippled`: without one worker and one member. */
  comeToRest(options: {
    readonly boundMs: number;
    readonly isCrippled: boolean;
  }): Promise<Settling>;
  evidence(settling: Settling, faults: readonly StruckFault[]): Promise<Evidence>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly seed: string;
  readonly out: string;
  readonly tree: string;
  readonly timing: Timing;
  /** Whom all clients share. */
  readonly users: number;
  readonly boundMs: number;
  readonly log: Log;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

export interface Breaking {
  /** Of the keys: nobody else's. */
  readonly prefix: string;
  readonly rate: number;
  readonly actors: number;
  readonly openMax: number;
  /** To the end of the plan, although something lost was found. */
  readonly keepGoing: boolean;
}

export interface Broken {
  readonly faults: readonly StruckFault[];
  /** Since the first fault, when something lost was found while it went on. */
  readonly foundAfterMs: number | undefined;
}

/** What everything on a stage works with. */
interface Parts {
  readonly options: StageOptions;
  readonly cluster: Cluster;
  readonly client: Client;
  readonly history: History;
  readonly reader: Reader;
  readonly sampler: Sampler;
  readonly random: Random;
}

const SETUP_MS = 60_000;
/** A job of a dead worker comes again after its lock and one look for stalled jobs, half a minute each. */
const QUEUES_BOUNDS = 2;
const REMEMBER_EVERY_MS = 60_000;
const PROGRESS_EVERY_MS = 500;
/** Where a line cannot be written over. */
const LINE_EVERY_MS = 20_000;

export async function openChaosStage(options: StageOptions): Promise<ChaosStage> {
  const { out, log, signal, seed, tree, timing } = options;
  mkdirSync(out, { recursive: true });
  const random = createRandom(seed);
  const cluster = await startCluster({ tree, folder: join(out, 'cluster'), log, random, timing });
  log(`• cluster: up after ${seconds(cluster.nowMs())}`);
  try {
    const history = openHistory(join(out, 'history.jsonl'));
    const reader = openReader(cluster);
    const { apiUrls: apis, nowMs, secrets } = cluster;
    const client = createClient({ apis, apiKey: secrets.apiKey, history, nowMs, signal });
    const stranger = await setUp(cluster, client, { random, users: options.users });
    // All of it has ended before anything breaks.
    await watchSettling(cluster, reader, { healedAtMs: nowMs(), boundMs: SETUP_MS });
    log(`• users, money and receivers: there after ${seconds(cluster.nowMs())}`);
    const sampler = startSampler(cluster, reader);
    await sampler.remember();
    const parts: Parts = { options, cluster, client, history, reader, sampler, random };
    return Object.freeze({
      cluster,
      history,
      sampler,
      breakThings: (plan: readonly PlannedFault[], how: Breaking) => breakThings(parts, plan, how),
      comeToRest: (how: { readonly boundMs: number; readonly isCrippled: boolean }) =>
        comeToRest(parts, how),
      evidence: (settling: Settling, faults: readonly StruckFault[]) =>
        collect(parts, { settling, stranger, faults }),
      close: async () => {
        await sampler.stop();
        history.flush();
        await reader.close();
        await cluster.close();
      },
    });
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function breakThings(
  parts: Parts,
  plan: readonly PlannedFault[],
  how: Breaking,
): Promise<Broken> {
  const { options, cluster, client, history, reader, sampler, random } = parts;
  const { log } = options;
  const early = new AbortController();
  const signal = AbortSignal.any([options.signal, early.signal]);
  const startedMs = cluster.nowMs();
  const sinceStart = (): string => seconds(cluster.nowMs() - startedMs);
  const watch = watchForLost(history, reader, {
    nowMs: cluster.nowMs,
    onFound: () => {
      if (!how.keepGoing) early.abort();
    },
  });
  const load = startLoad({
    ...how,
    users: options.users,
    client,
    random: random.fork(`load ${how.prefix}`),
    open: sampler.open,
  });
  const say = log.live ?? log;
  const progress = setInterval(
    () => {
      const { sent, answered, unknown } = load.counts();
      const counts = `${String(sent)} sent, ${String(answered)} answered`;
      say(`  ${sinceStart().padStart(7)} ${counts}, ${String(unknown)} unknown`);
    },
    log.live === undefined ? LINE_EVERY_MS : PROGRESS_EVERY_MS,
  );
  const remembering = setInterval(() => {
    sampler.remember().catch(() => undefined); // nobody could be read: the next time will do
  }, REMEMBER_EVERY_MS);
  const faults = await runNemesis({
    cluster,
    kinds: FAULT_KINDS,
    plan,
    random: random.fork(`nemesis ${how.prefix}`),
    signal,
    onFault: (text) => {
      log(`  ${sinceStart().padStart(7)} ${text}`);
    },
  });
  await load.stop();
  clearInterval(progress);
  clearInterval(remembering);
  log.live?.('');
  await watch.stop();
  const found = watch.found();
  if (found !== undefined) log(`• lost after ${seconds(found.atMs - startedMs)}: ${found.id}`);
  return { faults, foundAfterMs: found === undefined ? undefined : found.atMs - startedMs };
}

/** Where it is crippled, one worker and one member stay dead: the others make do without them. */
async function comeToRest(
  parts: Parts,
  { boundMs, isCrippled }: { readonly boundMs: number; readonly isCrippled: boolean },
): Promise<Settling> {
  const { options, cluster, client, reader, sampler, random } = parts;
  const { log } = options;
  if (isCrippled) {
    cluster.workers.at(-1)?.kill();
    const primary = await cluster.mongo.primary();
    cluster.mongo.members.find(({ index }) => index !== primary.index)?.server.kill('SIGKILL');
  }
  const healedAtMs = cluster.nowMs();
  const but = isCrippled ? ', but for one worker and one member' : '';
  log(`• healed${but}: everything must end within ${seconds(boundMs)}`);
  const [settling] = await Promise.all([
    watchSettling(cluster, reader, { healedAtMs, boundMs }),
    resolveUnknown(client, boundMs),
    makeProgress(client, random.fork(`progress ${String(healedAtMs)}`), boundMs),
  ]);
  // What only the last answers told of may have begun after the others had ended.
  const rest = settling.isAtRest
    ? await watchSettling(cluster, reader, { healedAtMs: cluster.nowMs(), boundMs })
    : settling;
  log(
    `• ${rest.isAtRest ? 'at rest' : 'NOT at rest'} ${seconds(rest.endedAtMs - healedAtMs)} after the heal`,
  );
  await watchDeliveries(reader, boundMs);
  await watchQueues(cluster, QUEUES_BOUNDS * boundMs);
  await sampler.remember();
  const settledAtMs = new Map([...settling.settledAtMs, ...rest.settledAtMs]);
  return { ...rest, healedAtMs, settledAtMs };
}

interface Collected {
  readonly settling: Settling;
  readonly stranger: Stranger;
  readonly faults: readonly StruckFault[];
}

const WALLETS_ASKED = 20;
const ISOLATION_ASKED = 5;

async function collect(parts: Parts, collected: Collected): Promise<Evidence> {
  const { cluster, client, history, reader, sampler, options } = parts;
  const { settling, stranger, faults } = collected;
  // Before the books, which may have moved on but not back: else an event tells of what they do not show yet.
  const receipts = [...cluster.receiver.receipts()];
  const books = await reader.snapshot(readBooks);
  const users = books.wallets.filter(({ userId }) => !userId.startsWith('sys:'));
  const isolation: { path: string; status: number }[] = [];
  for (const { id } of books.operations.slice(-ISOLATION_ASKED)) {
    const path = `/v1/operations/${id}`;
    const answer = await client.get(path, 0, stranger.apiKey).catch(() => ({ status: 0 }));
    isolation.push({ path, status: answer.status });
  }
  const children = [...cluster.apis, ...cluster.workers];
  return {
    ...books,
    ...settling,
    history: history.events,
    payments: cluster.sandbox.payments(),
    receipts,
    samples: sampler.samples(),
    rewritten: sampler.rewritten(),
    faults,
    queues: await readQueues(cluster),
    balances: await readBalances(cluster, client, users.slice(0, WALLETS_ASKED)),
    logs: children.flatMap(({ name, logFile }) => scanLog(name, logFile, cluster.secrets.all)),
    deaths: cluster.deaths,
    boundMs: options.boundMs,
    isolation,
  };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
