import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { READ_LIMITS } from '../../config/read-limits.ts';
import {
  type GroupedReads,
  type ReadKey,
  createGroupedReads,
} from '../infra/reads/grouped-reads.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { WalletDoc } from './documents.ts';
import { walletCacheKey } from './wallet-shared-cache.ts';
import { type DatedWallet, decodeWallet, isLater } from './wallet-cache-value.ts';
import type { WalletWriter } from './wallet-writer-cache.ts';

export type CacheTier = 'memory' | 'redis' | 'primary';

export interface CachedWallet {
  readonly wallet: WalletDoc;
  readonly from: CacheTier;
}

/**
 * Wallets for who can do with a balance of a moment ago. Nothing that decides anything may read here.
 */
export interface WalletCache {
  /**
   * Memory, then Redis, then the primary. What is answered was the present state at most
   * `walletCacheMs` ago, whatever happens to Redis.
   *
   * @throws what the look-up in the database throws.
   */
  read(key: ReadKey): Promise<CachedWallet | undefined>;
}

interface CacheDeps {
  readonly primary: GroupedReads<WalletDoc>;
  /** Replicas that are asked for what is in Redis, in turns; without one that is there, the other. */
  readonly readers: readonly Redis[];
  readonly mainReader: Redis;
  readonly writer: Pick<WalletWriter, 'write' | 'discard'>;
  readonly prefix: string;
  readonly nowMs: () => Promise<number>;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'cacheReads'>;
}

export function createWalletCache(deps: CacheDeps): WalletCache {
  const { primary, writer, nowMs, metrics } = deps;
  // Made once: finding a counter by its labels costs more than what is counted here.
  const counted = {
    near: metrics.cacheReads.labels('memory', 'hit'),
    notNear: metrics.cacheReads.labels('memory', 'miss'),
    found: metrics.cacheReads.labels('primary', 'hit'),
    notFound: metrics.cacheReads.labels('primary', 'miss'),
  };
  const memory = createMemory();
  const shared = createSharedReads(deps);
  /** One load per wallet under way, however many ask. */
  const underWay = new Map<string, Promise<CachedWallet | undefined>>();

  const load = async (key: ReadKey, text: string): Promise<CachedWallet | undefined> => {
    // Without the database's time nothing in Redis can be judged: the primary answers, or says why not.
    const now = await nowMs().catch(() => undefined);
    const held = now === undefined ? undefined : await shared.read(key, now);
    if (now !== undefined && held !== undefined) {
      return { wallet: memory.keep(text, held, now).wallet, from: 'redis' };
    }
    const wallet = await primary.read(key);
    if (wallet === undefined) {
      counted.notFound.inc();
      return undefined;
    }
    counted.found.inc();
    // As of when the look-up began: it may have been overtaken since.
    if (now !== undefined) {
      const dated = { wallet, atMs: now };
      memory.keep(text, dated, now);
      writer.write([dated]);
    }
    return { wallet, from: 'primary' };
  };

  return Object.freeze({
    read: async (key: ReadKey) => {
      const text = `${key.tenantId}\n${key.id}`;
      const near = memory.get(text);
      if (near !== undefined) {
        counted.near.inc();
        return { wallet: near.wallet, from: 'memory' } as const;
      }
      counted.notNear.inc();
      const current = underWay.get(text);
      if (current !== undefined) return current;
      const started = load(key, text).finally(() => underWay.delete(text));
      underWay.set(text, started);
      return started;
    },
  });
}

/** The nearest tier: few bytes, for a second. */
function createMemory() {
  const held = new LRUCache<string, DatedWallet>({
    maxSize: READ_LIMITS.walletMemoryBytesMax,
    sizeCalculation: () => READ_LIMITS.walletMemoryBytesEach,
    ttl: READ_LIMITS.walletMemoryMs,
  });
  return {
    get: (text: string) => held.get(text),
    /** The later one of this and what is held. No value becomes older here than it may be. */
    keep: (text: string, dated: DatedWallet, nowMs: number): DatedWallet => {
      const before = held.get(text);
      if (before !== undefined && !isLater(dated, before)) return before;
      const left = dated.atMs + READ_LIMITS.walletCacheMs - nowMs;
      if (left >= 1) held.set(text, dated, { ttl: Math.min(READ_LIMITS.walletMemoryMs, left) });
      return dated;
    },
  };
}

interface SharedReads {
  /** Undefined: not there, not usable, or Redis is away or slow. Never throws. */
  read(key: ReadKey, nowMs: number): Promise<DatedWallet | undefined>;
}

/** What Redis holds; left alone for a moment when it has not answered in time. */
function createSharedReads(deps: CacheDeps): SharedReads {
  const { readers, mainReader, writer, prefix, clock, metrics } = deps;
  let turn = 0;
  let pausedUntil = 0;
  const reader = (): Redis | undefined => {
    const ready = readers.filter(({ status }) => status === 'ready');
    turn += 1;
    const main = mainReader.status === 'ready' ? mainReader : undefined;
    return ready[turn % Math.max(1, ready.length)] ?? main;
  };
  const texts = createGroupedReads<string>({
    sizeMax: READ_LIMITS.readGroupMax,
    inFlightMax: READ_LIMITS.readGroupsInFlight,
    waitingMax: READ_LIMITS.readsWaitingMax,
    deadlineMs: READ_LIMITS.cacheReadMs,
    idCharsMax: READ_LIMITS.readIdCharsMax,
    load: async (keys, give) => {
      const redis = reader();
      if (redis === undefined) throw new Error('the cache is away');
      const names = keys.map(({ tenantId, id }) => walletCacheKey(prefix, tenantId, id));
      const values = await redis.mget(...names);
      for (const [index, key] of keys.entries()) {
        const value = values[index];
        if (typeof value === 'string') give(key, value);
      }
    },
  });
  const told = (outcome: 'hit' | 'miss' | 'invalid' | 'error' | 'skipped'): void => {
    metrics.cacheReads.inc({ tier: 'redis', outcome });
  };
  return {
    read: async (key, nowMs) => {
      if (clock.monotonicMs() < pausedUntil) {
        told('skipped');
        return undefined;
      }
      try {
        const text = await texts.read(key);
        if (text === undefined) {
          told('miss');
          return undefined;
        }
        const name = walletCacheKey(prefix, key.tenantId, key.id);
        const found = decodeWallet(text, { ...key, key: name, nowMs });
        told(found === undefined ? 'invalid' : 'hit');
        // It might stand in the way of later states.
        if (found === undefined) writer.discard(key.tenantId, key.id);
        return found;
      } catch {
        pausedUntil = clock.monotonicMs() + READ_LIMITS.cachePauseMs;
        told('error');
        return undefined;
      }
    },
  };
}
