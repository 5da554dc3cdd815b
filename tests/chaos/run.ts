import type { Log } from '../../scripts/dev/servers/report.ts';
import { type Judgement, judge } from './checker/check.ts';
import { type Minimum, NOTHING_YET } from './checker/enough.ts';
import type { Evidence } from './checker/evidence.ts';
import { type PlannedFault, planFaults } from './nemesis/plan.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom } from './random.ts';
import { type ProcessSize, sizesOf } from './report/process-sizes.ts';
import { minimumFor, planOf } from './schedules.ts';
import { openChaosStage } from './stage.ts';
import { watchMachineLoad } from './report/machine-load.ts';

export interface RunResult {
  readonly judgement: Judgement;
  readonly evidence: Evidence;
  readonly plan: readonly PlannedFault[];
  /** Load averages over a minute, while it ran. */
  readonly load: { readonly mean: number; readonly max: number };
  readonly samplesMissed: number;
  readonly foundAfterMs: number | undefined;
  readonly startedAt: Date;
  /** Wall clock at the zero of the harness's: milliseconds. */
  readonly epochMs: number;
  readonly versions: { readonly mongodb: string; readonly redis: string };
  readonly sizes: {
    readonly before: readonly ProcessSize[];
    readonly after: readonly ProcessSize[];
  };
}

/** One run: a cluster, faults under load, the way back to rest, the judgement. */
export async function runChaos(
  options: ChaosOptions,
  log: Log,
  signal: AbortSignal,
): Promise<RunResult> {
  const startedAt = new Date();
  const { boundMs, rate, actors, openMax, keepGoing } = options;
  const stage = await openChaosStage({ ...options, log, signal });
  try {
    const { cluster, sampler } = stage;
    const load = watchMachineLoad();
    const before = sizesOf(cluster);
    const plan = planFor(options);
    const broken = await stage.breakThings(plan, {
      prefix: 'r',
      rate,
      actors,
      openMax,
      keepGoing,
    });
    const after = sizesOf(cluster);
    const settling = await stage.comeToRest({ boundMs, isCrippled: true });
    const loads = load.stop();
    const evidence = await stage.evidence(settling, broken.faults);
    return {
      judgement: judge(evidence, minimumOf(options, plan), NOTHING_YET),
      evidence,
      plan,
      load: loads,
      samplesMissed: sampler.missed(),
      foundAfterMs: broken.foundAfterMs,
      startedAt,
      epochMs: Date.now() - cluster.nowMs(),
      sizes: { before, after },
      versions: await cluster.versions(),
    };
  } finally {
    await stage.close();
  }
}

function planFor(options: ChaosOptions): readonly PlannedFault[] {
  const { schedule, kinds, minutes, timing, together, kills, calm, seed } = options;
  if (schedule !== undefined) return planOf(schedule);
  const totalMs = minutes * 60_000;
  const random = createRandom(`${seed}/plan`);
  return planFaults({ kinds, totalMs, timing, together, kills, calmMs: calm * 1_000, random });
}

/** What a run of that length does on the slowest of machines that are worth running it on. */
function minimumOf({ minutes, schedule }: ChaosOptions, plan: readonly PlannedFault[]): Minimum {
  if (schedule !== undefined) return minimumFor(schedule);
  const lasts = minutes * 60;
  return {
    operations: 40 + Math.floor(lasts * 2),
    answers: 40 + Math.floor(lasts * 2),
    types: 12,
    faults: Math.ceil(plan.length * 0.6),
    samples: Math.max(2, Math.floor(lasts / 6)),
    webhooks: 40 + Math.floor(lasts),
    repeats: 3,
    strangers: 1,
  };
}
