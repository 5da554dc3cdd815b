import type { Redis } from 'ioredis';
import { READ_LIMITS } from '../../config/read-limits.ts';
import { withTimeout } from '../kernel/clock.ts';
import { supervise } from '../kernel/supervise.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { WalletDoc } from './documents.ts';
import { putWallets, walletCacheKey } from './wallet-shared-cache.ts';
import { type DatedWallet, isLater } from './wallet-cache-value.ts';

/** Puts wallets into the cache's Redis, in the background. Whatever is lost there costs time only. */
export interface WalletWriter {
  /** The states that wallets have from now on. Never throws. */
  readonly write: (wallets: readonly DatedWallet[]) => void;
  /** Takes away what stands there and is no wallet's state. Never throws. */
  readonly discard: (tenantId: string, walletId: string) => void;
  /** The states that a transaction has just written. */
  readonly committed: (wallets: readonly WalletDoc[]) => void;
}

interface WriterDeps {
  readonly redis: Redis;
  readonly prefix: string;
  /** Database time, milliseconds. */
  readonly nowMs: () => Promise<number>;
  readonly metrics: Pick<Metrics, 'cacheWrites'>;
}

/**
 * Of a wallet the latest state waits; while Redis is away none does: whoever reads it from there finds
 * nothing that is older than a value may become.
 */
export function createWalletWriter(deps: WriterDeps): WalletWriter {
  const { redis, prefix, nowMs, metrics } = deps;
  const waiting = new Map<string, DatedWallet>();
  let isWriting = false;

  const take = (): readonly DatedWallet[] => {
    const taken: DatedWallet[] = [];
    for (const [id, dated] of waiting) {
      if (taken.length === READ_LIMITS.cacheWriteMax) break;
      taken.push(dated);
      waiting.delete(id);
    }
    return taken;
  };
  const putSome = async (): Promise<void> => {
    const wallets = take();
    try {
      const put = putWallets(redis, prefix, { wallets, nowMs: await nowMs() });
      const written = await withTimeout(put, READ_LIMITS.cacheWriteMs, () => new Error('too slow'));
      metrics.cacheWrites.inc({ outcome: 'written' }, written);
      metrics.cacheWrites.inc({ outcome: 'older' }, wallets.length - written);
    } catch {
      metrics.cacheWrites.inc({ outcome: 'failed' }, wallets.length);
    }
  };
  const flush = async (): Promise<void> => {
    while (waiting.size > 0) await putSome();
  };
  const start = (): void => {
    if (isWriting || waiting.size === 0) return;
    isWriting = true;
    const over = (): void => {
      isWriting = false;
      start();
    };
    setImmediate(() => {
      flush().then(over, over);
    });
  };
  const write = (wallets: readonly DatedWallet[]): void => {
    if (redis.status !== 'ready' || waiting.size >= READ_LIMITS.cacheWritesWaitingMax) {
      metrics.cacheWrites.inc({ outcome: 'failed' }, wallets.length);
      return;
    }
    for (const dated of wallets) {
      const before = waiting.get(dated.wallet._id);
      if (before === undefined || isLater(dated, before)) waiting.set(dated.wallet._id, dated);
    }
    start();
  };

  return Object.freeze({
    write,
    discard: (tenantId: string, walletId: string) => {
      if (redis.status !== 'ready') return;
      // Whoever looks there next finds the same, and tries again.
      supervise(redis.del(walletCacheKey(prefix, tenantId, walletId)), () => undefined);
    },
    committed: (wallets: readonly WalletDoc[]) => {
      if (wallets.length === 0) return;
      const dated = nowMs().then((atMs) => {
        write(wallets.map((wallet) => ({ wallet, atMs })));
      });
      // Without a time nothing can be said of them.
      supervise(dated, () => {
        metrics.cacheWrites.inc({ outcome: 'failed' }, wallets.length);
      });
    },
  });
}
