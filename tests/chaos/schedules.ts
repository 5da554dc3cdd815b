import type { Minimum } from './checker/enough.ts';
import type { PlannedFault } from './nemesis/plan.ts';

/** A fixed plan that takes seconds, each for a hazard that once was real. */
export interface Schedule {
  readonly name: string;
  readonly summary: string;
  readonly faults: readonly Omit<PlannedFault, 'id'>[];
  readonly seconds: number;
}

const fault = (
  kind: string,
  target: string,
  atMs: number,
  forMs: number,
): Omit<PlannedFault, 'id'> => ({
  kind,
  target,
  atMs,
  forMs,
});

export const SCHEDULES: readonly Schedule[] = [
  {
    name: 'insert-cut',
    summary: 'connections are cut in the middle of inserts',
    faults: [fault('mongo-insert-cut', 'api', 500, 3_000), fault('mongo-cut', 'api', 4_000, 500)],
    seconds: 6,
  },
  {
    name: 'commit-replies-lost',
    summary: 'commits happen, and their answers are lost',
    faults: [fault('mongo-commit-reply-lost', 'worker', 500, 4_000)],
    seconds: 6,
  },
  {
    name: 'primary-killed',
    summary: 'kill -9 of the primary',
    faults: [fault('kill-primary', 'primary', 1_000, 3_000)],
    seconds: 6,
  },
  {
    name: 'primary-stopped',
    summary: 'the primary is stopped, another one elected, and it goes on',
    faults: [fault('pause-primary', 'primary', 1_000, 6_000)],
    seconds: 8,
  },
  {
    name: 'redis-emptied',
    summary: 'both Redis are emptied under load',
    faults: [fault('empty-redis', 'queue', 1_500, 500), fault('empty-redis', 'core', 2_500, 500)],
    seconds: 5,
  },
  {
    name: 'worker-stopped-beyond-its-lease',
    summary: 'a worker is stopped, another finishes its work, and it goes on',
    faults: [fault('pause-worker', 'worker-1', 500, 6_000)],
    seconds: 8,
  },
  {
    name: 'provider-timeout-after-effect',
    summary: 'the payment provider does as it is told, and never answers or fails',
    faults: [fault('provider-fails-after-effect', 'provider', 500, 4_000)],
    seconds: 6,
  },
  {
    name: 'api-killed-between-insert-and-enqueue',
    summary: 'an API dies after each third insert',
    faults: [fault('crash-api-at-edge', 'api-1', 500, 6_000)],
    seconds: 8,
  },
  {
    name: 'writes-unacknowledged',
    summary: 'inserts and commits are done, and no majority acknowledges them',
    faults: [
      fault('fail-insert-unacknowledged', 'all', 500, 3_000),
      fault('fail-commit-unknown', 'all', 4_000, 3_000),
    ],
    seconds: 8,
  },
  {
    name: 'zombie-beside-a-failover',
    summary: 'a worker is stopped while the primary steps down and jobs are doubled',
    faults: [
      fault('pause-worker', 'worker-2', 500, 6_000),
      fault('step-down', 'primary', 2_000, 2_000),
      fault('duplicate-jobs', 'all', 3_000, 500),
    ],
    seconds: 8,
  },
];

export function scheduleNamed(name: string): Schedule | undefined {
  return SCHEDULES.find((one) => one.name === name);
}

/** With ids, as a plan has them. */
export function planOf({ faults }: Schedule): readonly PlannedFault[] {
  return faults.map((one, index) => ({ id: `f${String(index + 1)}`, ...one }));
}

/** Every fault of it has to have struck, under some load. */
export function minimumFor({ faults, seconds }: Schedule): Minimum {
  const some = seconds * 3;
  return {
    ...{ operations: some, answers: some, types: 8, faults: faults.length },
    ...{ samples: 2, webhooks: seconds, repeats: 1, strangers: 1 },
  };
}
