import { LIMITS } from '../config/limits.ts';
import { type Clock, withTimeout } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';
import type { Dependency } from '../core/infra/dependency.ts';
import { noneFails } from '../core/kernel/every.ts';

export interface DependencyState {
  readonly ok: boolean;
  readonly reason?: string;
  readonly tookMs: number;
}

export interface ReadinessReport {
  readonly ready: boolean;
  readonly dependencies: Readonly<Record<string, DependencyState>>;
}

export interface Readiness {
  /** The names that `check` reports on. */
  readonly names: readonly string[];
  /** Probes every dependency, at most once a second however often it is asked. */
  check(): Promise<ReadinessReport>;
  /** Not ready from now on: balancers shall stop sending before the process stops listening. */
  drain(): void;
}

interface ReadinessDeps {
  readonly dependencies: readonly Dependency[];
  readonly clock: Clock;
}

const REPORT_KEPT_MS = 1_000;

export function createReadiness({ dependencies, clock }: ReadinessDeps): Readiness {
  let isDraining = false;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let last: Promise<readonly (readonly [string, DependencyState])[]> | undefined;

  const probeAll = (): Promise<readonly (readonly [string, DependencyState])[]> =>
    Promise.all(dependencies.map(async (one) => [one.name, await stateOf(one, clock)] as const));

  return Object.freeze({
    names: dependencies.map(({ name }) => name),
    check: async () => {
      if (last === undefined || clock.monotonicMs() - lastAtMs >= REPORT_KEPT_MS) {
        lastAtMs = clock.monotonicMs();
        last = probeAll();
      }
      const states = await last;
      const process: DependencyState = isDraining
        ? { ok: false, reason: 'shutting down', tookMs: 0 }
        : { ok: true, tookMs: 0 };
      return {
        ready: !isDraining && noneFails(states, ([, state]) => state.ok),
        dependencies: Object.fromEntries([['process', process], ...states]),
      };
    },
    drain: () => {
      isDraining = true;
    },
  } satisfies Readiness);
}

async function stateOf({ name, probe }: Dependency, clock: Clock): Promise<DependencyState> {
  const startedMs = clock.monotonicMs();
  const tookMs = (): number => Math.round(clock.monotonicMs() - startedMs);
  const ms = LIMITS.readinessProbeMs;
  try {
    await withTimeout(
      probe(),
      ms,
      () => new AppError('timeout', `${name} did not answer within ${ms} ms`),
    );
    return { ok: true, tookMs: tookMs() };
  } catch (error) {
    // What a probe says itself may be shown; what a driver says stays in.
    const reason = error instanceof AppError ? error.detail : 'does not answer';
    return { ok: false, reason, tookMs: tookMs() };
  }
}
