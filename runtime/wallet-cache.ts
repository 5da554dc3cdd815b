import type { GroupedReads } from '../core/infra/reads/grouped-reads.ts';
import type { WalletDoc } from '../core/ledger/documents.ts';
import { type WalletCache, createWalletCache } from '../core/ledger/wallet-cache.ts';
import { type WalletWriter, createWalletWriter } from '../core/ledger/wallet-writer-cache.ts';
import type { Platform } from './platform.ts';

const writers = new WeakMap<Platform, WalletWriter>();

/** One for all of a process that write wallets: settlement, sagas, and who reads what is not there. */
function openWalletWriter(platform: Platform): WalletWriter {
  const known = writers.get(platform);
  if (known !== undefined) return known;
  const { redis, metrics } = platform;
  const connection = redis.open('cache', { name: 'wallet-cache', whenAway: 'fail' });
  const writer = createWalletWriter({
    redis: connection,
    prefix: prefixOf(platform),
    nowMs: nowOf(platform),
    metrics,
  });
  writers.set(platform, writer);
  return writer;
}

/**
 * Tells the cache of every commit, where balances come from it unless something else is asked for. Where
 * they do not, it fills with what is read, and its times bound how old that may be: a Redis write for each
 * wallet costs settlement a fourteenth.
 */
export function walletWriteThrough(platform: Platform): WalletWriter['committed'] | undefined {
  return platform.env.READ_CONSISTENCY === 'cached'
    ? openWalletWriter(platform).committed
    : undefined;
}

/** What requests read that can do with a balance of a moment ago. */
export function openWalletCache(platform: Platform, primary: GroupedReads<WalletDoc>): WalletCache {
  const { redis, clock, metrics } = platform;
  const use = { name: 'wallet-cache-reads', whenAway: 'fail' } as const;
  return createWalletCache({
    primary,
    readers: redis.openReplicas('cache', use),
    mainReader: redis.open('cache', use),
    writer: openWalletWriter(platform),
    prefix: prefixOf(platform),
    nowMs: nowOf(platform),
    clock,
    metrics,
  });
}

/** Several databases may share a Redis. */
function prefixOf({ env, redis }: Platform): string {
  return `${redis.prefix}-${env.MONGO_DB}`;
}

function nowOf({ databaseClock }: Platform): () => Promise<number> {
  return async () => (await databaseClock()).now.getTime();
}
