import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { onInterrupt } from '../scripts/local/interrupts.ts';
import { removeAbandoned } from '../scripts/local/leftovers.ts';
import { createTerminalLog, formatSeconds, type Log } from '../scripts/local/report.ts';
import { type Servers, ensureServers } from '../scripts/local/servers.ts';
import { findServers } from './lib/cpu.ts';
import { describeEnvironment, isBusy } from './lib/environment.ts';
import { type BenchOptions, parseOptions } from './lib/options.ts';
import { ROOT } from './lib/processes.ts';
import {
  type Sample,
  describeHost,
  describeJudgements,
  describeSamples,
  judge,
} from './lib/report.ts';
import { TARGETS, settleScenarios } from './lib/scenarios.ts';
import { runSettlement } from './lib/settle-run.ts';

/** `npm run bench`: the figures of DESIGN section 15, both sides of each in one run. */
const DATA_FOLDER = join(ROOT, '.data', 'bench');
const RESULTS_FOLDER = join(ROOT, 'bench', 'results');
const CACHE_GB = 1;
const SEED = 20_261_122;

async function measureAll(
  servers: Servers,
  options: BenchOptions,
  log: Log,
): Promise<Map<string, Sample[]>> {
  const pids = findServers(servers.mongoUrl, servers.redisUrl);
  const samples = new Map<string, Sample[]>();
  const scenarios = settleScenarios(options.quick).filter(({ figures }) =>
    figures.some((figure) => options.only.has(figure)),
  );
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const scenario of scenarios) {
      const startedMs = performance.now();
      const deps = { urls: servers, servers: pids, log };
      const { perSecond, cpu } = await runSettlement(deps, { ...scenario, seed: SEED + round });
      const list = samples.get(scenario.name) ?? [];
      samples.set(scenario.name, list);
      list.push({ perSecond, cpu, operations: scenario.transfers });
      const took = formatSeconds(performance.now() - startedMs);
      log(`• round ${round}: ${scenario.name}: ${perSecond.toFixed(0)}/s (${took})`);
    }
  }
  return samples;
}

async function bench(servers: Servers, options: BenchOptions, log: Log): Promise<boolean> {
  const environment = await describeEnvironment(
    servers,
    findServers(servers.mongoUrl, servers.redisUrl),
  );
  log(describeHost(environment));
  if (isBusy(environment)) log('! The machine is busy: only the ratios mean something, if at all.');
  const samples = await measureAll(servers, options, log);
  const judgements = judge(TARGETS, samples);
  log(`\n${describeSamples(samples)}\n\n${describeJudgements(judgements)}`);
  const at = new Date().toISOString();
  const path = options.json ?? join(RESULTS_FOLDER, `${at.replaceAll(/[:.]/g, '-')}.json`);
  mkdirSync(dirname(resolve(path)), { recursive: true });
  const result = { at, environment, options, samples: Object.fromEntries(samples), judgements };
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  log(`\n• written to ${path}`);
  return judgements.every(({ isMet }) => isMet !== false);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const log = createTerminalLog(process.stdout);
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
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  },
);
