import { join } from 'node:path';
import { onInterrupt } from '../scripts/local/interrupts.ts';
import { removeAbandoned } from '../scripts/local/leftovers.ts';
import { createTerminalLog, formatSeconds, type Log } from '../scripts/local/report.ts';
import { type Servers, ensureServers } from '../scripts/local/servers.ts';
import { buildMeasured } from './lib/build.ts';
import { findServers } from './lib/cpu.ts';
import { writeDocs } from './lib/docs-table.ts';
import { describeEnvironment, loadAverage } from './lib/environment.ts';
import type { RunDeps, Sample } from './lib/measure.ts';
import { type BenchOptions, UsageError, parseOptions } from './lib/options.ts';
import { ROOT } from './lib/processes.ts';
import { profileSettlement } from './lib/profile-run.ts';
import { createQuietWaiter } from './lib/quiet.ts';
import {
  describeHost,
  describeJudgements,
  describeLatencies,
  describeSamples,
  judge,
  judgeLatency,
} from './lib/report.ts';
import { readResults, writeResults } from './lib/results.ts';
import {
  LATENCY_TARGETS,
  type NamedScenario,
  TARGETS,
  runScenario,
  scenariosOf,
} from './lib/scenarios.ts';

/** `npm run bench`: the figures of DESIGN section 15, both sides of each in one run. */
const DATA_FOLDER = join(ROOT, '.data', 'bench');
const RESULTS_FOLDER = join(ROOT, 'bench', 'results');
const PROFILE_FOLDER = join(RESULTS_FOLDER, 'profile');
const CACHE_GB = 1;
const SEED = 20_261_122;

interface Measured {
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
  readonly othersBefore: readonly number[];
}

/** Round by round, so that both sides of a ratio see the same machine. */
async function measureAll(
  deps: RunDeps,
  scenarios: readonly NamedScenario[],
  options: BenchOptions,
): Promise<Measured> {
  const { log } = deps;
  const quiet = createQuietWaiter(deps.servers, { minutes: options.waitMinutes, log });
  const samples: Record<string, Sample[]> = {};
  const othersBefore: number[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    othersBefore.push(await quiet.wait());
    for (const scenario of scenarios) {
      const startedMs = performance.now();
      const sample = await runScenario(deps, scenario, SEED + round);
      (samples[scenario.name] ??= []).push(sample);
      const took = formatSeconds(performance.now() - startedMs);
      log(`• round ${round}: ${scenario.name}: ${sample.perSecond.toFixed(0)}/s (${took})`);
    }
  }
  return { samples, othersBefore };
}

async function bench(servers: Servers, options: BenchOptions, log: Log): Promise<boolean> {
  const pids = findServers(servers.mongoUrl, servers.redisUrl);
  const deps = { urls: servers, servers: pids, log };
  const environment = await describeEnvironment(servers, pids);
  log(describeHost(environment));
  const { quick, rounds } = options;
  if (options.profile) {
    await profileSettlement(deps, { folder: PROFILE_FOLDER, quick, seed: SEED });
    return true;
  }
  const scenarios = scenariosOf(quick).filter(({ figures }) =>
    figures.some((figure) => options.only.includes(figure)),
  );
  const { samples, othersBefore } = await measureAll(deps, scenarios, options);
  const judgements = judge(TARGETS, samples);
  const latencies = judgeLatency(LATENCY_TARGETS, samples);
  log(`\n${describeSamples(samples)}\n\n${describeJudgements(judgements)}`);
  if (latencies.length > 0) log(`\n${describeLatencies(latencies)}`);
  const at = new Date().toISOString();
  const path = options.json ?? join(RESULTS_FOLDER, `${at.replaceAll(/[:.]/g, '-')}.json`);
  const loadAfter = loadAverage();
  const found = { at, rounds, quick, environment, loadAfter, othersBefore, samples };
  const plain = (one: object): Record<string, unknown> => Object.fromEntries(Object.entries(one));
  const parts = {
    scenarios: scenarios.map(plain),
    judgements: judgements.map(plain),
    latencies: latencies.map(plain),
  };
  writeResults(path, { ...found, ...parts });
  log(`\n• written to ${path}`);
  if (options.writeDocs) log(`• written to ${writeDocs(readResults(path))}`);
  return [...judgements, ...latencies].every(({ isMet }) => isMet !== false);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const log = createTerminalLog(process.stdout);
  if (options.from !== undefined) {
    log(`• written to ${writeDocs(readResults(options.from))}`);
    return;
  }
  await buildMeasured(log);
  await removeAbandoned(DATA_FOLDER, log);
  const servers = await ensureServers({
    env: process.env,
    dataDir: join(DATA_FOLDER, String(process.pid)),
    log,
    ports: 'any',
    cacheGb: CACHE_GB,
  });
  onInterrupt(async () => servers.discard());
  try {
    if (!(await bench(servers, options, log))) process.exitCode = 1;
  } finally {
    await servers.discard();
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    const stack = error instanceof Error && !(error instanceof UsageError) && error.stack;
    process.stderr.write(`${stack === false || stack === undefined ? String(error) : stack}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
