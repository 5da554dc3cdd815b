import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { PlantedBug } from '../tests/planted/planted-bug.ts';
import { readBugs } from '../tests/planted/read-bugs.ts';
import { onInterrupt } from './dev/servers/interrupts.ts';
import { createTerminalLog } from './dev/servers/report.ts';
import { ensureServers } from './dev/servers/servers.ts';
import { copyTree } from './planted/copy.ts';
import { type Trial, runTrial } from './planted/try-bug.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = join(ROOT, '.data', 'planted');

/** A test that never goes red proves nothing, and neither does one that is red anyhow. */
interface Options {
  readonly only?: string;
  readonly list?: true;
  readonly sound?: true;
}

function parseOptions(): Options {
  return new Command('npm run planted --')
    .description('Plants small mistakes one at a time and sees whether the tests find them.')
    .option('--only <text>', 'those whose name, file or test contains the text')
    .option('--sound', 'first run each of the tests without a bug: it must be green')
    .option('--list', 'list them and end')
    .parse()
    .opts<Options>();
}

const log = createTerminalLog(process.stdout);
const options = parseOptions();
const bugs = (await readBugs()).filter(({ name, file, foundBy }) =>
  [name, file, ...foundBy].some((text) => text.includes(options.only ?? '')),
);
if (options.list === true) for (const { name, file } of bugs) log(`${file}: ${name}`);
else if (bugs.length === 0) fail('no planted bug has such a name');
else await tryAll(bugs);

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

async function tryAll(all: readonly PlantedBug[]): Promise<void> {
  const servers = await ensureServers({
    env: process.env,
    dataDir: join(FOLDER, 'servers'),
    log,
    ports: 'any',
    restartOnCrash: true,
  });
  const copy = copyTree(ROOT, join(FOLDER, 'tree'));
  const stop = async (): Promise<void> => {
    copy.remove();
    await servers.discard();
  };
  onInterrupt(stop);
  const env = { ...process.env, MONGO_URL: servers.mongoUrl, REDIS_URL: servers.redisUrl };
  const deps = { copy, env, log };
  const trials: Trial[] = [];
  const unsound = options.sound === true ? await redAnyhow(deps, all) : [];
  for (const [index, bug] of all.entries()) {
    log.live?.(`${String(index + 1)} of ${String(all.length)}: ${bug.name}`);
    const takeOut = copy.plant(bug);
    for (const testFile of bug.foundBy) {
      const trial = await runTrial(deps, bug, testFile);
      trials.push(trial);
      const { isFound, seconds, evidence } = trial;
      log(
        `${isFound ? '✓' : '✗'} ${bug.name} (${seconds.toFixed(1)} s, ${testFile})\n    ${evidence}`,
      );
    }
    takeOut();
  }
  await stop();
  report(trials, unsound);
}

/** The test files that are red without any bug. */
async function redAnyhow(
  deps: Parameters<typeof runTrial>[0],
  all: readonly PlantedBug[],
): Promise<readonly string[]> {
  const red: string[] = [];
  for (const testFile of new Set(all.flatMap(({ foundBy }) => foundBy))) {
    const [bug] = all;
    if (bug === undefined) continue;
    const { isFound, evidence } = await runTrial(deps, bug, testFile);
    if (isFound || evidence !== 'all green') red.push(`${testFile}: ${evidence}`);
  }
  for (const one of red) log(`✗ without a bug: ${one}`);
  return red;
}

function report(trials: readonly Trial[], unsound: readonly string[]): void {
  const missed = trials.filter(({ isFound }) => !isFound);
  const seconds = trials.map((trial) => trial.seconds).sort((a, b) => a - b);
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, 'report.json');
  const rows = trials.map(({ bug, ...trial }) => ({ name: bug.name, file: bug.file, ...trial }));
  writeFileSync(file, `${JSON.stringify({ rows, unsound }, null, 2)}\n`);
  log(
    `${String(trials.length)} trials, ` +
      `median ${(seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(1)} s, ` +
      `slowest ${(seconds.at(-1) ?? 0).toFixed(1)} s; written to ${file}`,
  );
  const failed = missed.length + unsound.length;
  log(`${String(trials.length - missed.length)} passed, ${String(failed)} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
