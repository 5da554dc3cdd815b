import { join } from 'node:path';
import { onInterrupt } from '../scripts/dev/servers/interrupts.ts';
import { removeAbandoned } from '../scripts/dev/servers/leftovers.ts';
import { createTerminalLog, formatSeconds, type Log } from '../scripts/dev/servers/report.ts';
import { type Servers, ensureServers } from '../scripts/dev/servers/servers.ts';
import { runAgainst } from './lib/against-run.ts';
import { buildMeasured } from './lib/build.ts';
import { findServers } from './lib/cpu.ts';
import { writeDocs } from './lib/docs-table.ts';
import { describeEnvironment, loadAverage } from './lib/environment.ts';
import type { RunDeps, Sample } from './lib/measure.ts';
import { type BenchOptions, USAGE, UsageError, parseOptions } from './lib/options.ts';
import { ROOT } from './lib/processes.ts';
import { profileSettlement } from './lib/profile-run.ts';
import { createQuietWaiter } from './lib/quiet.ts';
import {
  type Judgement,
  describeHost,
  describeJudgements,
  describeLatencies,
  describeSamples,
  describeWaits,
  judge,
  judgeLatency,
} from './lib/report.ts';
import { readResults, writeResults } from './lib/results.ts';
import type { Target } from './lib/targets.ts';
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
  const quick = options.size !== 'full';
  if (options.profile) {
    await profileSettlement(deps, { folder: PROFILE_FOLDER, quick, seed: SEED });
    return true;
  }
  const scenarios = chosenScenarios(options);
  const { samples, othersBefore } = await measureAll(deps, scenarios, options);
  const judgements = await judgeAll(deps, { scenarios, samples, options });
  const latencies = judgeLatency(LATENCY_TARGETS, samples);
  if (latencies.length > 0) log(`\n${describeLatencies(latencies)}`);
  const at = new Date().toISOString();
  const path = options.json ?? join(RESULTS_FOLDER, `${at.replaceAll(/[:.]/g, '-')}.json`);
  const { rounds } = options;
  const found = { at, rounds, quick, environment, loadAfter: loadAverage(), othersBefore, samples };
  const plain = (one: object): Record<string, unknown> => Object.fromEntries(Object.entries(one));
  const parts = {
    scenarios: scenarios.map(plain),
    judgements: judgements.map(plain),
    latencies: latencies.map(plain),
  };
  writeResults(path, { ...found, ...parts });
  log(`\n• written to ${path}`);
  if (options.writeDocs) log(`• written to ${writeDocs(readResults(path))}`);
  const demanded = [...judgements, ...latencies].filter(({ isMet }) => isMet !== undefined);
  const missed = demanded.filter(({ isMet }) => isMet === false).length;
  log(`${demanded.length - missed} passed, ${missed} failed`);
  return missed === 0;
}

/** With `--floors` only what has one. */
function chosenTargets({ ratio = '', floors }: BenchOptions): readonly Target[] {
  return TARGETS.filter(
    ({ what, floor }) => what.includes(ratio) && (!floors || floor !== undefined),
  );
}

function chosenScenarios(options: BenchOptions): readonly NamedScenario[] {
  const names = new Set(chosenTargets(options).flatMap(({ of, against }) => [of, against]));
  return scenariosOf(options.size)
    .filter(({ figures }) => figures.some((one) => options.only.includes(one)))
    .filter((scenario) => !options.ours || isOurs(scenario))
    .filter(({ name }) => (options.ratio === undefined && !options.floors) || names.has(name));
}

/** Journal entries that travel alone are another side as well. */
function isOurs(scenario: NamedScenario): boolean {
  if (scenario.kind === 'sagas') return scenario.groupMax === undefined;
  return !('side' in scenario) || scenario.side === 'ours';
}

interface Judged {
  readonly scenarios: readonly NamedScenario[];
  readonly samples: Measured['samples'];
  readonly options: BenchOptions;
}

/** What is below a floor is measured once more, and counts if it is below it again. */
async function judgeAll(
  deps: RunDeps,
  { scenarios, samples, options }: Judged,
): Promise<readonly Judgement[]> {
  const by = options.floors ? 'floor' : 'target';
  const targets = chosenTargets(options);
  const judgements = judge(targets, samples, by);
  const waits = describeWaits(samples);
  deps.log(`\n${describeSamples(samples)}\n\n${describeJudgements(judgements)}`);
  if (waits !== '') deps.log(`\n${waits}`);
  const missed = judgements.filter(({ isMet }) => isMet === false);
  if (!options.floors || missed.length === 0) return judgements;
  const names = new Set(missed.flatMap(({ of, against }) => [of, against]));
  const again = scenarios.filter(({ name }) => names.has(name));
  deps.log(`\n• once more: ${[...names].join(', ')}`);
  const second = await measureAll(deps, again, options);
  const rejudged = judge(targets, second.samples, by).filter(({ what }) =>
    missed.some((one) => one.what === what),
  );
  deps.log(`\n${describeSamples(second.samples)}\n\n${describeJudgements(rejudged)}`);
  return judgements.map((one) => rejudged.find(({ what }) => what === one.what) ?? one);
}

function list(options: BenchOptions, log: Log): void {
  const scenarios = chosenScenarios(options);
  for (const { name, figures } of scenarios) log(`${figures.join(', ')}: ${name}`);
  const names = new Set(scenarios.map(({ name }) => name));
  log('');
  for (const { what, of, against, atLeast, floor } of chosenTargets(options)) {
    if (!names.has(of) || !names.has(against)) continue;
    const demanded = options.floors ? floor : atLeast;
    log(`${what}: ${demanded === undefined ? 'reported' : `at least ${demanded}`}`);
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const log = createTerminalLog(process.stdout);
  if (options.help) {
    log(USAGE);
    return;
  }
  if (options.list) {
    list(options, log);
    return;
  }
  if (options.from !== undefined) {
    log(`• written to ${writeDocs(readResults(options.from))}`);
    return;
  }
  if (options.against !== undefined) {
    const comparisons = await runAgainst(options.against, options, log);
    if (comparisons.some(({ isMet }) => isMet === false)) process.exitCode = 1;
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
