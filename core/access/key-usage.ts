import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { type Clock, startTicker } from '../kernel/clock.ts';
import type { ReadDatabaseTime } from '../infra/database-clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ApiKeyStore } from './api-key-store.ts';

/** Writes down which keys were used, together and behind the requests' backs. */
export interface KeyUsage {
  note(keyId: string): void;
  close(): Promise<void>;
}

interface KeyUsageDeps {
  readonly keys: Pick<ApiKeyStore, 'noteUse'>;
  readonly databaseTime: ReadDatabaseTime;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What cannot be written is dropped: the key is noted again within minutes, if it is in use. */
export function startKeyUsage({ keys, databaseTime, clock, logger }: KeyUsageDeps): KeyUsage {
  const used = new Set<string>();
  const flush = async (): Promise<void> => {
    if (used.size === 0) return;
    const ids = [...used].slice(0, ACCESS_LIMITS.keyUsedGroupMax);
    for (const id of ids) used.delete(id);
    const { now } = await databaseTime();
    await keys.noteUse(ids, now);
  };
  const ticker = startTicker({
    intervalMs: ACCESS_LIMITS.keyUsedFlushMs,
    clock,
    run: flush,
    onError: (err) => {
      logger.debug({ err }, 'keys.use.unwritten');
    },
  });
  return Object.freeze({
    note: (keyId: string) => {
      used.add(keyId);
    },
    close: async () => {
      await ticker.stop();
      await flush().catch((err: unknown) => {
        logger.debug({ err }, 'keys.use.unwritten'); // a minute of use
      });
    },
  } satisfies KeyUsage);
}
