import { cpus, loadavg, totalmem } from 'node:os';
import { execFileSync } from 'node:child_process';
import type { ChaosOptions } from '../options.ts';
import type { RunResult } from '../run.ts';
import { figuresOf } from './figures.ts';

/** Reports of another form cannot be added to these. */
export const REPORT_FORMAT = 2;

/** Everything about a run, as data. */
export type Report = ReturnType<typeof reportOf>;

export function reportOf(options: ChaosOptions, result: RunResult) {
  const { judgement, plan, foundAfterMs, samplesMissed, startedAt } = result;
  const { seed, minutes, timing, rate, actors, openMax, replay, tree, schedule } = options;
  return {
    format: REPORT_FORMAT,
    verdict: judgement.verdict,
    seed,
    replay,
    startedAt: startedAt.toISOString(),
    settings: {
      minutes,
      timing,
      rate,
      actors,
      openMax,
      users: options.users,
      kills: options.kills,
      calmS: options.calm,
      tree,
      schedule: schedule?.name,
      boundMs: options.boundMs,
    },
    versions: { node: process.version, commit: commitOf(tree), ...result.versions },
    machine: {
      cores: cpus().length,
      model: cpus()[0]?.model ?? '',
      memoryGb: Math.round(totalmem() / 2 ** 30),
      load: loadavg().map((one) => Math.round(one * 10) / 10),
    },
    load: result.load,
    ...(foundAfterMs !== undefined && { foundAfterMs: Math.round(foundAfterMs) }),
    samplesMissed,
    plan,
    ...figuresOf(result),
    sizes: result.sizes,
    violations: judgement.violations,
    shortfalls: judgement.shortfalls,
  };
}

function commitOf(tree: string): string {
  try {
    const options = { cwd: tree, encoding: 'utf8', timeout: 5_000, stdio: 'pipe' } as const;
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).trim();
  } catch {
    return 'unknown';
  }
}
