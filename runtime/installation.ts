import { LIMITS } from '../config/limits.ts';
import { type Env } from '../config/env.ts';
import { startTicker } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';
import type { Dependency } from '../core/infra/dependency.ts';
import type { Platform } from './platform.ts';
import { createRoster } from '../core/infra/roster-store.ts';

/**
 * What the processes of an installation have of the outside, so that what one of them lacks is never
 * taken for what nobody has.
 */
export interface Installation {
  /** By this process, or another one within the last hour. */
  has(name: string): boolean;
  /** Some provider of a channel, likewise. */
  hasAny(kind: string): boolean;
  /** What others have had lately and this process has not. */
  lacks(): readonly string[];
}

interface InstallationOptions {
  readonly platform: Pick<Platform, 'mongo' | 'clock' | 'logger' | 'lifecycle' | 'processId'>;
  readonly own: readonly string[];
  /** Only who serves has something to say. */
  readonly announces: boolean;
  /** The kinds that this process is to serve: `payment`, `email`. */
  readonly serves: readonly string[];
}

/** Read and announced once before it resolves, then again and again. */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { platform, own, announces, serves } = options;
  const { mongo, clock, logger, lifecycle, processId } = platform;
  const roster = createRoster(mongo.db);
  const mine = new Set(own);
  let others: ReadonlyMap<string, Date> = new Map();
  let lately: ReadonlyMap<string, Date> = new Map();
  let said = '';

  const lacks = (): readonly string[] =>
    [...lately.keys()].filter((name) => !mine.has(name) && serves.includes(kindOf(name))).sort();
  const refresh = async (): Promise<void> => {
    if (announces) await roster.announce(processId, own);
    others = await roster.others(processId, LIMITS.rosterMemoryMs);
    lately = await roster.others(processId, LIMITS.rosterAliveMs);
    const missing = lacks().join(', ');
    if (missing !== said && missing !== '') logger.error({ missing }, 'process.lacks');
    said = missing;
  };
  const onError = (err: unknown): void => {
    logger.warn({ err }, 'roster.failed');
  };
  await refresh().catch(onError);
  const ticker = startTicker({ intervalMs: LIMITS.rosterBeatMs, run: refresh, onError, clock });
  lifecycle.onClose('roster', () => ticker.stop());
  return Object.freeze({
    has: (name: string) => mine.has(name) || others.has(name),
    hasAny: (kind: string) => [...mine, ...others.keys()].some((name) => kindOf(name) === kind),
    lacks,
  });
}

/** Not ready while it lacks what others of the installation have. */
export function installationProbe({ lacks }: Pick<Installation, 'lacks'>): Dependency {
  return {
    name: 'providers',
    probe: async () => {
      const missing = lacks();
      if (missing.length === 0) return;
      const list = missing.join(', ');
      const detail = `This process has no address of ${list}, which others of the installation have`;
      throw new AppError('worker_unfit', detail);
    },
  };
}

/** The payment providers that the environment names. */
export function paymentNames(
  env: Pick<Env, 'SANDBOX_URL' | 'PAYMENT_PROVIDER_URL'>,
): readonly string[] {
  return [
    ...(env.SANDBOX_URL === undefined ? [] : ['payment/sandbox']),
    ...(env.PAYMENT_PROVIDER_URL === undefined ? [] : ['payment/http']),
  ];
}

function kindOf(name: string): string {
  return name.split('/')[0] ?? name;
}
