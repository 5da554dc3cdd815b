import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../scripts/dev/servers/report.ts';
import { ROOT } from '../support/tidy/tree.ts';
import { readReports } from './report/read-reports.ts';
import { sumMarkdownOf } from './report/sum-markdown.ts';
import { sumReports } from './report/sum.ts';

/** Runs and their sum; each run is a process of its own, so that none inherits another's memory. */
export interface ManyOptions {
  /** Of one run, without its seed and its folder. */
  readonly args: readonly string[];
  readonly seeds: readonly string[];
  readonly out: string;
  readonly signal: AbortSignal;
}

/** Something broken outweighs a harness that failed, and that a run that did too little. */
const WORST_FIRST = [1, 4, 2, 3];

/** One run after the other. @returns the worst of their exit codes. */
export async function runMany(options: ManyOptions, log: Log): Promise<number> {
  const { args, seeds, out, signal } = options;
  const codes: number[] = [];
  const folders = seeds.map((seed) => join(out, seed));
  for (const [index, seed] of seeds.entries()) {
    if (signal.aborted) break;
    const folder = folders[index] ?? out;
    codes.push(await runOne([...args, '--seed', seed, '--out', folder]));
  }
  sumUp(folders, out, log);
  return WORST_FIRST.find((code) => codes.includes(code)) ?? 0;
}

async function runOne(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'chaos.mjs'), ...args], {
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 0);
    });
  });
}

/** Prints the table of what is there, and writes it to `sum.md`. @returns how many runs it is of. */
export function sumUp(places: readonly string[], out: string | undefined, log: Log): number {
  const { reports, leftOut } = readReports(places);
  for (const file of leftOut) log(`? left out, since it is of another form: ${file}`);
  const text = sumMarkdownOf(sumReports(reports));
  log(text);
  if (out !== undefined) writeFileSync(join(out, 'sum.md'), text);
  return reports.length;
}
