import type { Env } from '../config/env.ts';
import { SetupError } from '../core/kernel/setup-error.ts';
import { closeOnSignals } from './lifecycle.ts';
import { type Platform, openPlatform } from './platform.ts';

interface ProcessOptions {
  readonly service: string;
  readonly env: Env;
  readonly exit: (code: number) => void;
  readonly start: (platform: Platform) => Promise<unknown>;
}

/**
 * The whole life of a process: waits for a primary, starts, and ends by a signal. What keeps it from
 * starting is said in one line.
 */
export async function runProcess({ service, env, exit, start }: ProcessOptions): Promise<void> {
  const platform = await openPlatform(env, service, { waitsForPrimary: true }).catch(
    (error: unknown) => {
      if (!(error instanceof SetupError)) throw error;
      process.stderr.write(`${error.message}\n`);
      return undefined;
    },
  );
  if (platform === undefined) {
    exit(2);
    return;
  }
  const { lifecycle, logger } = platform;
  closeOnSignals({ lifecycle, logger, exit });
  try {
    await start(platform);
  } catch (err) {
    logger.fatal({ err }, 'process.start.failed');
    await lifecycle.close();
    exit(1);
  }
}
