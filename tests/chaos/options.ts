import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ROOT } from '../support/tidy/tree.ts';
import { FAULT_KINDS, kindsNamed } from './nemesis/catalog.ts';
import type { FaultKind, Timing } from './nemesis/fault-kind.ts';
import type { Kills } from './nemesis/plan.ts';
import { SCHEDULES, type Schedule, scheduleNamed } from './schedules.ts';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: string;
  /** Where the report goes, and the history, and the logs. */
  readonly out: string;
  readonly kinds: readonly FaultKind[];
  readonly schedule: Schedule | undefined;
  /** The sources that the processes run. */
  readonly tree: string;
  readonly timing: Timing;
  readonly boundMs: number;
  readonly rate: number;
  readonly actors: number;
  readonly users: number;
  readonly openMax: number;
  readonly together: number;
  readonly kills: Kills;
  readonly calm: number;
  /** Goes on after something lost was found, to the end of its time. */
  readonly keepGoing: boolean;
  /** More than one run: their seeds, and what else each is given. */
  readonly many:
    { readonly seeds: readonly string[]; readonly args: readonly string[] } | undefined;
  /** Only adds up what is in these folders. */
  readonly sum: readonly string[] | undefined;
  /** What has to be given to have this run again. */
  readonly replay: string;
}

const EXIT_CODES = `
Exit code: 0 nothing was found and enough was done, 1 something is broken, 2 usage,
3 inconclusive: nothing was found, and too little was done to find it, 4 the harness itself
failed, 130 interrupted.

Servers are started on free ports under the folder of --out and stopped at the end. A run prints
its seed; the same seed plans the same faults at the same times. The interleaving of processes is
the machine's own, so a rare finding may need several runs.`;

/** As much as two cores bear that the whole installation, its clients and the checker share. */
const RATE = 120;
const ACTORS = 32;
const USERS = 1_000;
const CALM_S = 2;
const OPEN_MAX = 500;

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function kindsOf(text: string): readonly FaultKind[] {
  try {
    return kindsNamed(text.split(','));
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function scheduleOf(text: string): Schedule {
  const found = scheduleNamed(text);
  if (found !== undefined) return found;
  const names = SCHEDULES.map(({ name }) => name).join(', ');
  throw new InvalidArgumentError(`there is none of that name; there are ${names}`);
}

interface Parsed {
  readonly minutes: number;
  readonly seed: string | undefined;
  readonly out: string | undefined;
  readonly only: readonly FaultKind[] | undefined;
  readonly schedule: Schedule | undefined;
  readonly tree: string;
  readonly timing: Timing;
  readonly bound: number;
  readonly rate: number;
  readonly actors: number;
  readonly users: number;
  readonly open: number;
  readonly together: number;
  readonly kills: Kills;
  readonly calm: number;
  readonly keepGoing: boolean;
  readonly seeds: number | undefined;
  readonly sum: readonly string[] | undefined;
  readonly list: boolean;
}

function command(): Command {
  return new Command('npm run chaos --')
    .description('Breaks everything that can break, under load, and checks that nothing was lost.')
    .addOption(new Option('--minutes <n>', 'of faults').argParser(positive).default(2))
    .option('--seed <text>', 'plans the faults; by default another one every time')
    .option('--out <folder>', 'for the report, the history and the logs')
    .addOption(
      new Option(
        '--only <kinds>',
        'of faults, with commas; `mongo-` means all that begin so',
      ).argParser(kindsOf),
    )
    .addOption(
      new Option('--schedule <name>', 'a fixed one, instead of the seed').argParser(scheduleOf),
    )
    .option('--tree <folder>', 'a copy of the sources to run instead, with a mistake in it', ROOT)
    .addOption(
      new Option('--timing <which>', 'quick: leases of 3 s, two sweeps a second')
        .choices(['production', 'quick'])
        .default('production'),
    )
    .addOption(
      new Option('--bound <seconds>', 'from the heal until all is terminal')
        .argParser(positive)
        .default(45),
    )
    .addOption(new Option('--rate <n>', 'operations a second').argParser(positive).default(RATE))
    .addOption(
      new Option('--users <n>', 'that all clients share').argParser(positive).default(USERS),
    )
    .addOption(new Option('--actors <n>', 'clients').argParser(positive).default(ACTORS))
    .addOption(
      new Option('--open <n>', 'operations that may be open before clients hold back')
        .argParser(positive)
        .default(OPEN_MAX),
    )
    .addOption(
      new Option('--kills <how>', 'often: one after another, beside the other faults')
        .choices(['usual', 'often'])
        .default('usual'),
    )
    .addOption(
      new Option('--calm <seconds>', 'at least, after every episode: 45 to measure repairs')
        .argParser(positive)
        .default(CALM_S),
    )
    .addOption(new Option('--together <n>', 'faults that overlap').argParser(positive).default(4))
    .option('--keep-going', 'to the end, although something lost was found', false)
    .addOption(new Option('--seeds <n>', 'so many runs, one after the other').argParser(positive))
    .option('--sum <folders...>', 'adds up the reports in there (and right below), and ends')
    .option('--list', 'the kinds of faults and the schedules, and ends', false)
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
}

const USAGE = 2;

/** A number is the exit code of a command that has said all it had to. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions | number {
  const program = command();
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
  const parsed = program.opts<Parsed>();
  if (parsed.list) {
    printLists();
    return 0;
  }
  const seed = parsed.seed ?? String(randomInt(1_000_000));
  const name = parsed.schedule?.name ?? seed;
  return {
    ...parsed,
    seed,
    out: resolve(parsed.out ?? join(ROOT, '.data', 'chaos', 'runs', name)),
    kinds: parsed.only ?? FAULT_KINDS,
    timing: parsed.schedule === undefined ? parsed.timing : 'quick',
    tree: resolve(parsed.tree),
    boundMs: parsed.bound * 1_000,
    openMax: parsed.open,
    many: manyOf(args, seed, parsed.seeds),
    replay: replayOf(args, seed, parsed.seed !== undefined),
  };
}

/** All but what differs from run to run. */
const OF_ONE = new Set(['--seeds', '--seed', '--out']);

function manyOf(
  args: readonly string[],
  seed: string,
  count: number | undefined,
): ChaosOptions['many'] {
  if (count === undefined) return undefined;
  const own = args.flatMap((one, index) => {
    const isOfOne = OF_ONE.has(one.split('=')[0] ?? '') || OF_ONE.has(args[index - 1] ?? '');
    return isOfOne ? [] : [one];
  });
  return { args: own, seeds: Array.from({ length: count }, (_, i) => `${seed}-${String(i + 1)}`) };
}

function replayOf(args: readonly string[], seed: string, hasSeed: boolean): string {
  const all = hasSeed ? args : [...args, '--seed', seed];
  return [
    'npm run chaos --',
    ...all.map((one) => (/^[\w./,-]+$/.test(one) ? one : `'${one}'`)),
  ].join(' ');
}

function printLists(): void {
  console.log('Kinds of faults:');
  for (const { name, covers, summary } of FAULT_KINDS) {
    console.log(`  ${name.padEnd(34)} ${covers.join(' ').padEnd(10)} ${summary}`);
  }
  console.log('\nSchedules:');
  for (const { name, summary } of SCHEDULES) console.log(`  ${name.padEnd(34)} ${summary}`);
}
