import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Log, formatSeconds } from '../../scripts/dev/servers/report.ts';
import { type Comparison, compare, describeComparisons } from './comparison.ts';
import type { Sample } from './measure.ts';
import type { BenchOptions, Figure } from './options.ts';
import { ROOT } from './processes.ts';
import { readResults } from './results.ts';

const FOLDER = join(ROOT, '.cache', 'against');

type Measured = Record<string, Sample[]>;

/**
 * This checkout and another commit in turns: each measures itself by its own bench, in processes and on
 * servers of its own, figure by figure, and the one that begins changes from round to round. The other
 * commit has to know the figures already: its own code is what it is compiled with.
 */
export async function runAgainst(
  ref: string,
  options: BenchOptions,
  log: Log,
): Promise<readonly Comparison[]> {
  const other = await checkOut(ref, log);
  const measured = { before: {} as Measured, now: {} as Measured };
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const figure of options.only) {
      const sides = [
        { root: other, into: measured.before, name: ref },
        { root: ROOT, into: measured.now, name: 'here' },
      ];
      for (const { root, into, name } of round % 2 === 0 ? sides.reverse() : sides) {
        const startedMs = performance.now();
        const samples = await measureIn(root, figure, options);
        for (const [what, list] of Object.entries(samples)) (into[what] ??= []).push(...list);
        const took = formatSeconds(performance.now() - startedMs);
        log(`• round ${round}: ${figure}, ${name} (${took})`);
      }
    }
  }
  const comparisons = compare(measured.before, measured.now);
  log(`\n${describeComparisons(comparisons)}`);
  return comparisons;
}

/** A worktree of the commit, with the packages that it wants. */
async function checkOut(ref: string, log: Log): Promise<string> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: ROOT })).stdout.trim();
  const sha = await git('rev-parse', '--verify', `${ref}^{commit}`);
  const root = join(FOLDER, sha.slice(0, 12));
  if (!existsSync(join(root, 'package.json'))) {
    mkdirSync(FOLDER, { recursive: true });
    await git('worktree', 'prune');
    await git('worktree', 'add', '--detach', root, sha);
  }
  const packages = join(root, 'node_modules');
  if (!existsSync(packages)) {
    const lockOf = (folder: string): string =>
      readFileSync(join(folder, 'package-lock.json'), 'utf8');
    if (lockOf(root) === lockOf(ROOT)) symlinkSync(join(ROOT, 'node_modules'), packages);
    else await promisify(execFile)('npm', ['ci'], { cwd: root });
  }
  log(`• ${ref} is ${sha.slice(0, 12)}, in ${root}`);
  return root;
}

const RUN_MS_MAX = 1_800_000;

/** Without the other sides: they are the same here and there. */
async function measureIn(
  root: string,
  figure: Figure,
  { size }: BenchOptions,
): Promise<Readonly<Record<string, readonly Sample[]>>> {
  const json = join(FOLDER, 'last.json');
  mkdirSync(dirname(json), { recursive: true });
  rmSync(json, { force: true });
  const sizes = { full: [], half: ['--quick'], small: ['--small'] };
  const args = ['--only', figure, '--ours', '--rounds', '1', '--json', json, ...sizes[size]];
  const child = spawn(process.execPath, [join(root, 'scripts', 'bench.mjs'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
  }
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  // A missed target makes the command fail as well: what counts is that it has measured.
  if (!existsSync(json)) throw new Error(`${root} did not measure ${figure}:\n${said}`);
  return readResults(json).samples;
}
