import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../scripts/local/report.ts';
import { type Judgement, judge } from './checker/check.ts';
import type { Minimum } from './checker/enough.ts';
import type { Evidence, StruckFault } from './checker/evidence.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { scanLog } from './evidence/log-scan.ts';
import { readBalances, readQueues } from './evidence/quiet.ts';
import { type Reader, openReader } from './evidence/reader.ts';
import { readBooks } from './evidence/rows.ts';
import { type Sampler, startSampler } from './evidence/sampler.ts';
import { type Settling, resolveUnknown, watchDeliveries, watchSettling } from './liveness.ts';
import { FAULT_KINDS } from './nemesis/catalog.ts';
import { runNemesis } from './nemesis/nemesis.ts';
import { type PlannedFault, planFaults } from './nemesis/plan.ts';
import type { ChaosOptions } from './options.ts';
import { type Random, createRandom } from './random.ts';
import { planOf } from './schedules.ts';
import { type Stranger, setUp } from './setup.ts';
import { watchForLost } from './watch.ts';
import { type Client, createClient } from './workload/client.ts';
import { type History, openHistory } from './workload/history.ts';
import { type Load, startLoad } from './workload/load.ts';

export interface RunResult {
  readonly judgement: Judgement;
  readonly evidence: Evidence;
  readonly plan: readonly PlannedFault[];
  readonly samplesMissed: number;
  /** Since the first fault, when something lost was found while it went on. */
  readonly foundAfterMs: number | undefined;
  readonly startedAt: Date;
  /** Offset of the harness's clock: milliseconds at its zero. */
  readonly epochMs: number;
}

interface Stage {
  readonly options: ChaosOptions;
  readonly cluster: Cluster;
  readonly client: Client;
  readonly history: History;
  readonly reader: Reader;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** One run: a cluster, faults under load, the way back to rest, the judgement. */
export async function runChaos(
  options: ChaosOptions,
  log: Log,
  signal: AbortSignal,
): Promise<RunResult> {
  mkdirSync(options.out, { recursive: true });
  const random = createRandom(options.seed);
  const startedAt = new Date();
  const { tree, timing } = options;
  log('• cluster: three MongoDB members, two Redis, two APIs, three workers: starting');
  const cluster = await startCluster({
    tree,
    folder: join(options.out, 'cluster'),
    log,
    random,
    timing,
  });
  log(`• cluster: up after ${seconds(cluster.nowMs())}`);
  try {
    const history = openHistory(join(options.out, 'history.jsonl'));
    const reader = openReader(cluster);
    const { apiUrls: apis, nowMs, secrets } = cluster;
    const client = createClient({ apis, apiKey: secrets.apiKey, history, nowMs, signal });
    const stage = { options, cluster, client, history, reader, random, log, signal };
    const result = await runOn(stage);
    history.flush();
    await reader.close();
    return { ...result, startedAt, epochMs: Date.now() - cluster.nowMs() };
  } finally {
    await cluster.close();
  }
}

type OnStage = Omit<RunResult, 'startedAt' | 'epochMs'>;

async function runOn(stage: Stage): Promise<OnStage> {
  const { options, cluster, client, reader, random, log } = stage;
  const stranger = await setUp(cluster, client, random);
  log(`• set up after ${seconds(cluster.nowMs())}`);
  const sampler = startSampler(cluster, reader);
  await sampler.remember();
  const plan = planFor(options, random);
  const safety = await breakThings(stage, plan, sampler);
  const settling = await comeToRest(stage, safety.load);
  await sampler.remember();
  await sampler.stop();
  const evidence = await collect(stage, { sampler, settling, stranger, faults: safety.faults });
  return {
    judgement: judge(evidence, minimumOf(options, plan)),
    evidence,
    plan,
    samplesMissed: sampler.missed(),
    foundAfterMs: safety.foundAfterMs,
  };
}

function planFor(options: ChaosOptions, random: Random): readonly PlannedFault[] {
  const { schedule, kinds, minutes, timing, together } = options;
  if (schedule !== undefined) return planOf(schedule);
  const totalMs = minutes * 60_000;
  return planFaults({ kinds, totalMs, timing, together, random: random.fork('plan') });
}

/** What a run of that length does on the slowest of machines that are worth running it on. */
function minimumOf({ minutes, schedule }: ChaosOptions, plan: readonly PlannedFault[]): Minimum {
  const lasts = schedule === undefined ? minutes * 60 : schedule.seconds;
  return {
    operations: 40 + Math.floor(lasts * 2),
    answers: 40 + Math.floor(lasts * 2),
    types: schedule === undefined ? 12 : 8,
    faults: Math.ceil(plan.length * 0.6),
    samples: Math.max(2, Math.floor(lasts / 6)),
    webhooks: 40 + Math.floor(lasts),
    repeats: 3,
  };
}

interface Safety {
  readonly faults: readonly StruckFault[];
  readonly load: Load;
  readonly foundAfterMs: number | undefined;
}

async function breakThings(
  stage: Stage,
  plan: readonly PlannedFault[],
  sampler: Sampler,
): Promise<Safety> {
  const { options, cluster, client, history, reader, random, log } = stage;
  const early = new AbortController();
  const signal = AbortSignal.any([stage.signal, early.signal]);
  const startedMs = cluster.nowMs();
  const watch = watchForLost(history, reader, {
    nowMs: cluster.nowMs,
    onFound: () => {
      if (!options.keepGoing) early.abort();
    },
  });
  const load = startLoad({
    client,
    random: random.fork('load'),
    actors: options.actors,
    rate: options.rate,
    mayGoOn: () => true,
  });
  const progress = setInterval(() => {
    const { sent, answered, unknown } = load.counts();
    log.live?.(
      `${seconds(cluster.nowMs() - startedMs)}: ${String(sent)} sent, ${String(answered)} answered, ${String(unknown)} unknown`,
    );
  }, 500);
  const middle = sampler.remember.bind(sampler);
  const remembering = setInterval(() => void middle().catch(() => undefined), 60_000);
  const faults = await runNemesis({
    cluster,
    kinds: FAULT_KINDS,
    plan,
    random: random.fork('nemesis'),
    signal,
    onFault: (text) => {
      log(`  ${seconds(cluster.nowMs() - startedMs).padStart(7)} ${text}`);
    },
  });
  clearInterval(progress);
  clearInterval(remembering);
  log.live?.('');
  await watch.stop();
  const found = watch.found();
  if (found !== undefined) log(`• lost after ${seconds(found.atMs - startedMs)}: ${found.id}`);
  return { faults, load, foundAfterMs: found === undefined ? undefined : found.atMs - startedMs };
}

/** One worker and one member stay dead: the others have to make do without them. */
async function comeToRest(stage: Stage, load: Load): Promise<Settling> {
  const { options, cluster, client, reader, log } = stage;
  await load.stop();
  const { boundMs } = options;
  cluster.workers.at(-1)?.kill();
  const primary = await cluster.mongo.primary();
  cluster.mongo.members.find(({ index }) => index !== primary.index)?.server.kill('SIGKILL');
  const healedAtMs = cluster.nowMs();
  log(
    `• healed, but for one worker and one member: everything must end within ${seconds(boundMs)}`,
  );
  const [settling] = await Promise.all([
    watchSettling(cluster, reader, { healedAtMs, boundMs }),
    resolveUnknown(client, boundMs),
  ]);
  // What only the last answers told of may have begun after the others had ended.
  const rest = await watchSettling(cluster, reader, { healedAtMs: cluster.nowMs(), boundMs });
  log(`• at rest ${seconds(rest.endedAtMs - healedAtMs)} after the heal`);
  await watchDeliveries(reader, boundMs);
  const settledAtMs = new Map([...settling.settledAtMs, ...rest.settledAtMs]);
  return { healedAtMs, endedAtMs: rest.endedAtMs, settledAtMs };
}

interface Collected {
  readonly sampler: Sampler;
  readonly settling: Settling;
  readonly stranger: Stranger;
  readonly faults: readonly StruckFault[];
}

const WALLETS_ASKED = 20;
const ISOLATION_ASKED = 5;

async function collect(stage: Stage, parts: Collected): Promise<Evidence> {
  const { cluster, client, history, reader, options } = stage;
  const { sampler, settling, stranger, faults } = parts;
  const books = await reader.snapshot(readBooks);
  const users = books.wallets.filter(({ userId }) => !userId.startsWith('sys:'));
  const isolation: { path: string; status: number }[] = [];
  for (const { id } of books.operations.slice(0, ISOLATION_ASKED)) {
    const path = `/v1/operations/${id}`;
    isolation.push({ path, status: (await client.get(path, 0, stranger.apiKey)).status });
  }
  const children = [...cluster.apis, ...cluster.workers];
  return {
    ...books,
    ...settling,
    history: history.events,
    payments: cluster.sandbox.payments(),
    receipts: cluster.receiver.receipts(),
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
