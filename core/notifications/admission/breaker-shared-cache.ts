import type { Redis } from 'ioredis';
import { LIMITS } from '../../../config/limits.ts';
import { withTimeout } from '../../kernel/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TuningOf } from './breaker-tunings.ts';
import { BREAKER, type BreakerTuning, type Report } from './breaker.ts';
import {
  BREAKER_SCRIPT,
  type Breakers,
  type Entry,
  type Exit,
  type Hold,
} from './breaker-cache.ts';

interface SharedDeps {
  readonly redis: Redis;
  readonly prefix: string;
  readonly local: Breakers;
  readonly logger: Logger;
  /** The same for all, or by key; asked anew at every call. */
  readonly tuning?: BreakerTuning | TuningOf;
  /** Milliseconds; by default the time of the Redis server. */
  readonly now?: () => number;
}

interface Asking {
  readonly rate: number;
  readonly holdKey: string;
  readonly answer: (entry: Entry) => void;
}

interface Leaving {
  readonly report: Report;
  readonly hold: Hold;
  readonly answer: (exit: Exit) => void;
}

type Reply = readonly [kind: string, ms: number, good: number, bad: number, ...more: number[]];
type Ask = (
  command: 'enter' | 'leave',
  place: { readonly key: string; readonly holdKeys: readonly string[] },
  args: readonly number[],
) => Promise<Reply | undefined>;

/**
 * Shared by all processes through Redis, in the server's time; on its own while that is away. What
 * is asked and told of one breaker in a turn of the event loop is one call of the script.
 */
export function createSharedBreakers(deps: SharedDeps): Breakers {
  const { local } = deps;
  const ask = createAsk(deps);
  const enters = createTurns<Asking>((key, all) => enterAll({ ask, local }, key, all));
  const leaves = createTurns<Leaving>((key, all) => leaveAll({ ask, local }, key, all));
  return Object.freeze({
    enter: (key: string, rate: number, holdKey = '') =>
      new Promise<Entry>((answer) => {
        enters.add(key, { rate, holdKey, answer });
      }),
    leave: (key: string, report: Report, hold: Hold = { key: '', ms: 0 }) =>
      new Promise<Exit>((answer) => {
        leaves.add(key, { report, hold, answer });
      }),
  } satisfies Breakers);
}

function createAsk({ redis, prefix, logger, tuning = BREAKER, now = () => 0 }: SharedDeps): Ask {
  const tuningOf = typeof tuning === 'function' ? tuning : () => tuning;
  return async (command, { key, holdKeys }, args) => {
    if (redis.status !== 'ready') return undefined;
    const { windowMs, buckets, failureShare, samplesMin, ...rest } = tuningOf(key);
    const { openMs, openMsMax, probeMs, recheckMs } = rest;
    const numbers = [windowMs, buckets, failureShare, samplesMin];
    const times = [openMs, openMsMax, probeMs, recheckMs];
    const keys = [
      `${prefix}-breaker:{${key}}`,
      `${prefix}-meter:{${key}}`,
      ...holdKeys.map((holdKey) => `${prefix}-hold:{${key}}:${holdKey}`),
    ];
    try {
      const reply = await withTimeout(
        BREAKER_SCRIPT.run(redis, keys, [command, now(), ...numbers, ...times, ...args]),
        LIMITS.claimTimeoutMs,
        () => new Error('Redis did not answer in time'),
      );
      return reply as Reply; // the script's own
    } catch (err) {
      logger.debug({ err }, 'breaker.redis.failed');
      return undefined;
    }
  };
}

interface Turns<T> {
  add(key: string, item: T): void;
}

/** Collects by key what comes in one turn of the event loop; no more of them than fit a call. */
function createTurns<T>(work: (key: string, items: readonly T[]) => Promise<void>): Turns<T> {
  const run = (key: string, items: readonly T[]): void => {
    work(key, items).catch(() => undefined); // it answers each, and does not reject
  };
  let pending = new Map<string, T[]>();
  const flush = (): void => {
    const all = pending;
    pending = new Map();
    for (const [key, items] of all) run(key, items);
  };
  return {
    add: (key, item) => {
      if (pending.size === 0) setImmediate(flush);
      const items = pending.get(key);
      if (items === undefined) pending.set(key, [item]);
      else if (items.length < LIMITS.breakerGroupMax) items.push(item);
      else {
        pending.delete(key);
        run(key, items);
        if (pending.size === 0) setImmediate(flush);
        pending.set(key, [item]);
      }
    },
  };
}

interface Sides {
  readonly ask: Ask;
  readonly local: Breakers;
}

async function enterAll({ ask, local }: Sides, key: string, all: readonly Asking[]): Promise<void> {
  const rate = all[0]?.rate ?? 0;
  const holdKeys = [...new Set(all.map(({ holdKey }) => holdKey))];
  const asking = holdKeys.map((one) => all.filter(({ holdKey }) => holdKey === one).length);
  const reply = await ask('enter', { key, holdKeys }, [rate, ...asking]);
  if (reply === undefined) {
    for (const one of all) one.answer(await local.enter(key, one.rate, one.holdKey));
    return;
  }
  const [, , , , granted = 0, ...heldMs] = reply;
  const held = new Map(holdKeys.map((one, index) => [one, heldMs[index] ?? 0]));
  let left = granted;
  for (const { holdKey, answer } of all) {
    const waitMs = held.get(holdKey) ?? 0;
    if (waitMs > 0) answer({ kind: 'held', waitMs });
    else {
      answer(entryOf(reply, left > 0));
      left -= 1;
    }
  }
}

function entryOf([kind, waitMs, good, bad]: Reply, isGranted: boolean): Entry {
  if (isGranted) return { kind: 'go', isProbe: kind === 'probe', samples: { good, bad } };
  return { kind: kind === 'open' || kind === 'probe' ? 'open' : 'throttled', waitMs };
}

/** The probe by itself; the others are counted together. */
async function leaveAll(sides: Sides, key: string, all: readonly Leaving[]): Promise<void> {
  const others = all.filter(({ report }) => !report.isProbe);
  const probes = all.filter(({ report }) => report.isProbe).map((probe) => [probe]);
  for (const group of [others, ...probes]) if (group.length > 0) await leaveOne(sides, key, group);
}

async function leaveOne(
  { ask, local }: Sides,
  key: string,
  group: readonly Leaving[],
): Promise<void> {
  const holds = new Map<string, number>([['', 0]]);
  for (const { hold } of group) holds.set(hold.key, Math.max(holds.get(hold.key) ?? 0, hold.ms));
  const good = group.filter(({ report }) => report.isGood).length;
  const isProbe = group.some(({ report }) => report.isProbe);
  const args = [good, group.length - good, isProbe ? 1 : 0, ...holds.values()];
  // Counted here as well, so that the breaker does not start from nothing when Redis goes.
  const [reply, ...own] = await Promise.all([
    ask('leave', { key, holdKeys: [...holds.keys()] }, args),
    ...group.map(({ report, hold }) => local.leave(key, report, hold)),
  ]);
  for (const [index, { answer }] of group.entries()) {
    if (reply === undefined) answer(own[index] ?? { openMs: 0, samples: { good: 0, bad: 0 } });
    else {
      const [kind, ms, allGood, allBad] = reply;
      answer({ openMs: kind === 'open' ? ms : 0, samples: { good: allGood, bad: allBad } });
    }
  }
}
