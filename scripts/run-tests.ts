import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onInterrupt } from './dev/servers/interrupts.ts';
import { removeAbandoned } from './dev/servers/leftovers.ts';
import { spawnSupervised } from './dev/servers/processes.ts';
import { reportRepairs } from './dev/servers/repair-times.ts';
import { createTerminalLog, formatSeconds, type Log } from './dev/servers/report.ts';
import { ensureServers, prepareServers, type Servers } from './dev/servers/servers.ts';
import {
  describeSlowest,
  formatSummary,
  summarise,
  type TestSummary,
} from './dev/servers/test-summary.ts';
import { createWatchdog } from './dev/servers/watchdog.ts';

/**
 * `npm test [-- vitest's arguments]`: servers, tests, a summary. Instead of the tests:
 *   --servers-only   keeps servers for development running and prints their addresses
 *   --prepare-only   installs and fetches what servers need, and ends
 */
const ROOT = resolve(import.meta.dirname, '..');
const DATA_FOLDER = join(ROOT, '.data');
const TEST_FOLDER = join(DATA_FOLDER, 'test');
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
/** The tests have their own ceilings; this one is for a runner that hangs. */
const RUN_TIMEOUT_MS = 3_600_000;
const INTERRUPT_DEADLINE_MS = 10_000;
const TEST_CACHE_GB = 0.5;
/** No transaction lives longer than 15 s. */
const TEST_HISTORY_SECONDS = 30;
const SLOWEST_SHOWN = 10;

/** What to stop at an interrupt, the last first. */
type Stopper = () => Promise<void>;

async function runVitest(
  servers: Servers,
  args: readonly string[],
  { log, stoppers }: { readonly log: Log; readonly stoppers: Stopper[] },
): Promise<TestSummary> {
  const report = join(TEST_FOLDER, `${String(process.pid)}.json`);
  const hasReporter = args.some((argument) => argument.startsWith('--reporter'));
  const vitest = spawnSupervised({
    name: 'vitest',
    command: process.execPath,
    args: [
      ...[VITEST, 'run', ...args, '--reporter=json', `--outputFile.json=${report}`],
      ...(hasReporter ? [] : ['--reporter=default']),
    ],
    env: { ...process.env, MONGO_URL: servers.mongoUrl, REDIS_URL: servers.redisUrl },
    cwd: ROOT,
    log,
    output: 'inherit',
  });
  stoppers.push(async () => vitest.stop('SIGINT', INTERRUPT_DEADLINE_MS));
  const exit = await vitest.waitForExit(RUN_TIMEOUT_MS);
  await vitest.stop('SIGTERM', INTERRUPT_DEADLINE_MS);
  const said = readIfThere(report);
  const slowest = describeSlowest(said, { root: ROOT, count: SLOWEST_SHOWN });
  if (slowest !== undefined) log(slowest);
  return summarise(said, exit?.code ?? 1);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function runTests(args: readonly string[], log: Log, stoppers: Stopper[]): Promise<void> {
  await removeAbandoned(TEST_FOLDER, log);
  const startedAt = performance.now();
  const servers = await ensureServers({
    env: process.env,
    dataDir: join(TEST_FOLDER, String(process.pid)),
    log,
    ports: 'any',
    cacheGb: TEST_CACHE_GB,
    historySeconds: TEST_HISTORY_SECONDS,
    // One server serves all tests: the death of it in one of them must not fail all the others.
    restartOnCrash: true,
    watchdog: createWatchdog(),
  });
  stoppers.push(async () => servers.discard());
  log(`• servers ready after ${formatSeconds(performance.now() - startedAt)}`);
  try {
    const summary = await runVitest(servers, args, { log, stoppers });
    await servers.discard();
    process.exitCode = summary.failed === 0 ? 0 : 1;
    const report = process.env['FAULTS_REPORT'];
    const repairs = report === undefined ? undefined : reportRepairs(report);
    if (repairs !== undefined) log(repairs);
    log(formatSummary(summary));
  } catch (error) {
    await servers.discard();
    throw error;
  }
}

async function keepServers(log: Log, stoppers: Stopper[]): Promise<void> {
  const servers = await ensureServers({
    env: process.env,
    dataDir: DATA_FOLDER,
    log,
    restartOnCrash: true,
  });
  stoppers.push(async () => servers.stop());
  log('• they stay up until Ctrl-C; in another terminal:');
  process.stdout.write(`export MONGO_URL='${servers.mongoUrl}' REDIS_URL='${servers.redisUrl}'\n`);
  // Child processes alone would keep it running, but not where they belong to somebody else.
  setInterval(() => undefined, 2 ** 30);
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const isServersOnly = args.includes('--servers-only');
  // Only the address goes to standard output there, so that it can be captured.
  const log = createTerminalLog(isServersOnly ? process.stderr : process.stdout);
  const stoppers: Stopper[] = [];
  onInterrupt(async (signal) => {
    log(`• ${signal}: stopping`);
    for (const stop of stoppers.reverse()) await stop();
  });
  if (args.includes('--prepare-only')) {
    for (const found of await prepareServers(process.env, log)) log(`• found ${found}`);
  } else if (isServersOnly) await keepServers(log, stoppers);
  else await runTests(args, log, stoppers);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof Error && error.cause instanceof Error) {
    process.stderr.write(`  (${error.cause.message})\n`);
  }
  process.exit(1);
});
