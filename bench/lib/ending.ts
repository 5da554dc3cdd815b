import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';

/** Half a second between two looks: a measurement does not disturb what it measures. */
const LOOK_MS = 500;
const STALL_MS = 90_000;

interface Ending {
  readonly what: string;
  /** Cheap: a look at one key of an index, at metadata, or at somebody's own counter. */
  readonly isOver: () => Promise<boolean>;
  readonly withinMs?: number;
}

/** It is over. */
export interface Over {
  /**
   * When it was, by `performance.now()`, for the moment (since 1970) at which the last of it was
   * stored: the looks are rare, so what is stored says when, and they say between which two moments
   * that must have been.
   */
  atMs(storedAt: number | undefined): number;
}

/** Waits until it is over. */
export async function whenOver({ what, isOver, withinMs = STALL_MS }: Ending): Promise<Over> {
  const sinceEpochMs = Date.now() - performance.now();
  const endMs = performance.now() + withinMs;
  let openMs = performance.now();
  for (;;) {
    await sleep(LOOK_MS);
    const lookedMs = performance.now();
    if (await isOver()) break;
    openMs = lookedMs;
    if (openMs > endMs) throw new Error(`${what}: not within ${String(withinMs)} ms`);
  }
  const overMs = performance.now();
  return {
    atMs: (storedAt) => {
      const storedMs = storedAt === undefined ? undefined : storedAt - sinceEpochMs;
      return endMsOf({ openMs, overMs, storedMs });
    },
  };
}

interface Looks {
  /** The last look that found something open began then. */
  readonly openMs: number;
  /** The one that found nothing had ended by then. */
  readonly overMs: number;
  readonly storedMs: number | undefined;
}

/** What is stored, as far as the looks bear it out: clocks may differ. Pure. */
export function endMsOf({ openMs, overMs, storedMs }: Looks): number {
  if (storedMs === undefined) return overMs;
  return Math.min(overMs, Math.max(openMs, storedMs));
}

/**
 * When a collection was last written, by the server's own log of writes: of whatever kind the write was,
 * and whoever's clock its documents go by.
 */
export async function lastWriteAt(db: Db, collection: string): Promise<number | undefined> {
  const ns = `${db.databaseName}.${collection}`;
  const [last] = await db.client
    .db('local')
    .collection<{ readonly wall: Date }>('oplog.rs')
    .find({ $or: [{ ns }, { 'o.applyOps.ns': ns }] }, { projection: { wall: 1 } })
    .sort({ $natural: -1 })
    .limit(1)
    .toArray();
  return last?.wall.getTime();
}

/** Whether no operation is open any more: one key of an index, whatever their number. */
export async function noneOpen(db: Db): Promise<boolean> {
  const open = { status: { $in: ['accepted', 'running', 'waiting', 'compensating'] } };
  return (await db.collection('operations').findOne(open, { projection: { _id: 1 } })) === null;
}
