import { type Clock, withTimeout } from '../kernel/clock.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Whatever is opened registers its release here; `close` releases in reverse order, each within its
 * own deadline, and never stops at a failure. Calling it again waits for the first call.
 */
export interface Lifecycle {
  onClose(name: string, release: () => Promise<void> | void, deadlineMs?: number): void;
  close(): Promise<void>;
}

const RELEASE_DEADLINE_MS = 5_000;

export function createLifecycle(logger: Logger, clock: Clock): Lifecycle {
  const releasers: { name: string; release: () => Promise<void> | void; deadlineMs: number }[] = [];
  let closing: Promise<void> | undefined;

  const closeAll = async (): Promise<void> => {
    for (const { name, release, deadlineMs } of releasers.reverse()) {
      const startedMs = clock.monotonicMs();
      try {
        await withTimeout(
          Promise.resolve().then(release),
          deadlineMs,
          () => new Error(`${name} did not close within ${deadlineMs} ms`),
        );
        logger.debug({ name, ms: Math.round(clock.monotonicMs() - startedMs) }, 'resource.closed');
      } catch (err) {
        logger.error({ err, name }, 'resource.close.failed');
      }
    }
  };

  return Object.freeze({
    onClose: (name, release, deadlineMs = RELEASE_DEADLINE_MS) => {
      releasers.push({ name, release, deadlineMs });
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
