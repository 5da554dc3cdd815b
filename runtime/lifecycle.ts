import { LIMITS } from '../config/limits.ts';
import { type Clock, withTimeout } from '../core/kernel/clock.ts';
import type { Logger } from '../core/telemetry/logger.ts';

/**
 * Whatever is opened registers its release here. `close` first drains what does work, all side by
 * side, since one that hangs must not use up the time of the others; then it releases the rest in
 * reverse order. Each has a deadline and all together have one, and a failure stops nothing. Calling
 * it again waits for the first call.
 */
export interface Lifecycle {
  onClose(name: string, release: () => Promise<void> | void, deadlineMs?: number): void;
  /** Servers and pools: stops taking work, and finishes what is under way. */
  onDrain(name: string, release: () => Promise<void> | void): void;
  close(): Promise<void>;
}

interface Releaser {
  readonly name: string;
  readonly release: () => Promise<void> | void;
  readonly deadlineMs: number;
}

const RELEASE_DEADLINE_MS = 5_000;
const DRAIN_DEADLINE_MS = LIMITS.drainDeadlineMs + 5_000;
/** Enough for what only cuts a connection. */
const LAST_DEADLINE_MS = 100;

export function createLifecycle(logger: Logger, clock: Clock): Lifecycle {
  const drains: Releaser[] = [];
  const releasers: Releaser[] = [];
  let closing: Promise<void> | undefined;

  const closeOne = async ({ name, release, deadlineMs }: Releaser): Promise<void> => {
    const startedMs = clock.monotonicMs();
    try {
      await withTimeout(
        Promise.resolve().then(release),
        deadlineMs,
        () => new Error(`${name} did not close within ${Math.round(deadlineMs)} ms`),
      );
      logger.debug({ name, ms: Math.round(clock.monotonicMs() - startedMs) }, 'resource.closed');
    } catch (err) {
      logger.error({ err, name }, 'resource.close.failed');
    }
  };
  const closeAll = async (): Promise<void> => {
    const endMs = clock.monotonicMs() + LIMITS.closeMs;
    await Promise.all(drains.reverse().map(closeOne));
    for (const one of releasers.reverse()) {
      const leftMs = Math.max(LAST_DEADLINE_MS, endMs - clock.monotonicMs());
      await closeOne({ ...one, deadlineMs: Math.min(one.deadlineMs, leftMs) });
    }
  };

  return Object.freeze({
    onClose: (name, release, deadlineMs = RELEASE_DEADLINE_MS) => {
      releasers.push({ name, release, deadlineMs });
    },
    onDrain: (name, release) => {
      drains.push({ name, release, deadlineMs: DRAIN_DEADLINE_MS });
    },
    close: () => (closing ??= closeAll()),
  } satisfies Lifecycle);
}

interface SignalOptions {
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly exit: (code: number) => void;
}

/**
 * SIGTERM and SIGINT close in order and exit 0; a second signal exits at once. An error that
 * nobody caught is a bug: log, close, exit 1.
 */
export function closeOnSignals({ lifecycle, logger, exit }: SignalOptions): void {
  let isClosing = false;
  const stop = (reason: string, code: number): void => {
    if (isClosing) {
      exit(1);
      return;
    }
    isClosing = true;
    logger.info({ reason }, 'process.stopping');
    const stopped = (): void => {
      logger.info({ reason }, 'process.stopped');
      exit(code);
    };
    lifecycle.close().then(stopped, stopped);
  };
  process.on('SIGTERM', () => {
    stop('SIGTERM', 0);
  });
  process.on('SIGINT', () => {
    stop('SIGINT', 0);
  });
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'process.uncaught');
    stop('uncaught', 1);
  });
  process.on('unhandledRejection', (err) => {
    logger.fatal({ err }, 'process.unhandled');
    stop('unhandled', 1);
  });
}
