import type { WorkerPool } from '../../../config/env.ts';
import type { RestartPolicy } from '../servers/processes.ts';

/** One worker process of the stack. */
export interface WorkerPlan {
  readonly name: string;
  /** Absent: what the environment says. */
  readonly pools?: readonly WorkerPool[];
  /** Absent: given up, and the stack with it, when it dies again and again. */
  readonly restart?: RestartPolicy;
}

/** What dies of the same thing after each restart is started for ever, and the rest of the stack stays. */
const FOR_EVER: RestartPolicy = {
  firstDelayMs: 250,
  delayMsMax: 15_000,
  restartsMax: Number.MAX_SAFE_INTEGER,
  windowMs: 60_000,
};

/** What only meets MongoDB and Redis, and what has to do with the outside and with tenants' texts. */
const APART: readonly (readonly [name: string, pools: readonly WorkerPool[]])[] = [
  ['worker', ['settlement', 'recovery']],
  ['outward', ['saga', 'notification']],
];

/**
 * The workers of a stack. Each of them is two processes, so that one that dies of a mail, or of what
 * a provider answers, takes no settlement with it; unless the environment names the pools itself.
 */
export function workerPlans(count: number, pools: string | undefined): readonly WorkerPlan[] {
  const numbers = Array.from({ length: count }, (_, index) => String(index + 1));
  if (pools !== undefined && pools !== '') return numbers.map((n) => ({ name: `worker-${n}` }));
  return APART.flatMap(([name, own]) =>
    numbers.map((n) => ({
      ...{ name: `${name}-${n}`, pools: own },
      ...(!own.includes('settlement') && { restart: FOR_EVER }),
    })),
  );
}
