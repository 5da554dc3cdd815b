import { LIMITS } from '../../config/limits.ts';
import { type Clock, startTicker } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { Principal } from '../../core/access/api-key.ts';
import { hasScope } from '../../core/access/scopes.ts';
import type { Authenticator } from '../../core/access/api-key-cache.ts';
import { STREAM_SCOPE } from './scope.ts';

interface KeyWatchDeps {
  readonly authenticator: Pick<Authenticator, 'principalOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks again and again whether the keys of what stays open are still good. */
export interface KeyWatch {
  /** Calls back once when the key is not; gives what ends the watch. */
  watch(keyId: string, onRevoked: () => void): () => void;
  close(): Promise<void>;
}

export function startKeyWatch({ authenticator, clock, logger }: KeyWatchDeps): KeyWatch {
  const watched = new Map<string, Set<() => void>>();
  const isGood = async (keyId: string): Promise<boolean> => {
    const principal: Principal | undefined = await authenticator.principalOf(keyId);
    return principal !== undefined && hasScope(principal.scopes, STREAM_SCOPE);
  };
  const ticker = startTicker({
    intervalMs: LIMITS.streamKeyCheckMs,
    clock,
    run: async () => {
      for (const [keyId, callbacks] of [...watched]) {
        if (await isGood(keyId)) continue;
        watched.delete(keyId);
        for (const onRevoked of callbacks) onRevoked();
      }
    },
    // The database is away: whoever is connected stays.
    onError: (err) => {
      logger.debug({ err }, 'realtime.key-check.failed');
    },
  });
  return Object.freeze({
    watch: (keyId: string, onRevoked: () => void) => {
      const callbacks = watched.get(keyId) ?? new Set();
      watched.set(keyId, callbacks);
      callbacks.add(onRevoked);
      return () => {
        callbacks.delete(onRevoked);
        if (callbacks.size === 0 && watched.get(keyId) === callbacks) watched.delete(keyId);
      };
    },
    close: () => ticker.stop(),
  } satisfies KeyWatch);
}
