import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunDeps } from './measure.ts';
import { type Share, summarizeProfile } from './profile.ts';
import { formatTable } from './report.ts';
import { runSettlement } from './settle-run.ts';

const WALLETS = 10_000;
const WARM_UP = 2_000;

/** Settles with `--cpu-prof` and says where the worker's time goes, and what an operation costs. */
export async function profileSettlement(
  deps: RunDeps,
  options: { readonly folder: string; readonly quick: boolean; readonly seed: number },
): Promise<void> {
  const { log } = deps;
  const { folder, quick, seed } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const result = await runSettlement(
    deps,
    {
      side: 'ours',
      shape: 'uniform',
      processes: 1,
      transfers: quick ? 8_000 : 16_000,
      warmUp: WARM_UP,
      wallets: WALLETS,
      nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`],
    },
    seed,
  );
  const summary = summarizeProfile(mainProfileIn(folder), { window: result.window });
  const { operations, cpu, perSecond } = result;
  const micros = (seconds: number): string => `${((seconds / operations) * 1e6).toFixed(0)} µs`;
  log(`\n${operations} transfers, ${perSecond.toFixed(0)}/s while profiled`);
  log(
    `CPU per operation: worker ${micros(cpu.node)}, mongod ${micros(cpu.mongod)}, ` +
      `redis ${micros(cpu.redis)}; others used ${percent(cpu.othersShare)} of the machine`,
  );
  log(
    `The worker's main thread: ${summary.busySeconds.toFixed(1)} s busy, of which ` +
      `${percent(summary.collectorShare)} collecting garbage; ` +
      `${summary.idleSeconds.toFixed(1)} s idle`,
  );
  log(`\n${describeShares('package', summary.packages)}`);
  log(`\n${describeShares('function', summary.functions)}\n`);
}

/** The one of thread 0: helpers have profiles of their own. */
function mainProfileIn(folder: string): string {
  const [name] = readdirSync(folder).filter((file) => /\.0\.\d+\.cpuprofile$/.test(file));
  if (name === undefined) throw new Error(`The worker left no profile in ${folder}`);
  return join(folder, name);
}

function describeShares(what: string, shares: readonly Share[]): string {
  const rows = shares.map(({ name, exclusive, inclusive }) => [
    name,
    percent(exclusive),
    percent(inclusive),
  ]);
  return formatTable([[what, 'exclusive', 'inclusive'], ...rows]);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
