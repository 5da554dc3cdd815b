import { type ClientSession, type Db, MongoServerError } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Findings, VerifyCounts } from './report.ts';
import type { EntryTotals, LedgerRules } from './verify.ts';

export type VerifyPhase = 'wallets' | 'operations' | 'transfers' | 'holds';

export interface VerifyOptions {
  readonly rules: LedgerRules;
  /** Violations kept with their ids; all are counted. */
  readonly keepMax?: number;
  /** Entries read under one snapshot; a page that loses its snapshot is read again in halves. */
  readonly pageSize?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (phase: VerifyPhase, done: number) => void;
}

/** The state of one verification. */
export interface Walk {
  readonly db: Db;
  readonly findings: Findings;
  readonly counts: VerifyCounts;
  readonly totals: EntryTotals;
  readonly options: VerifyOptions;
  pageSize: number;
}

/**
 * Reads one page from the cursor on and returns where the next begins; undefined: the end. All its
 * reads come before its findings, since a page that loses its snapshot is read again.
 */
export type ReadPage<C> = (walk: Walk, session: ClientSession, cursor: C) => Promise<C | undefined>;

const PAGE_SIZE_MIN = 100;
/** Wallets, operations, transfers or holds per page: each brings a few entries along. */
const ROWS_PER_ENTRY = 0.25;

/** The server has thrown away the history that the snapshot needs, or does not have it yet. */
const SNAPSHOT_LOST: ReadonlySet<string | number | undefined> = new Set([239, 246]);

/** Walks a collection page by page, each under a snapshot of its own. */
export async function walkPages<C>(walk: Walk, start: C, read: ReadPage<C>): Promise<void> {
  let cursor: C | undefined = start;
  while (cursor !== undefined) {
    walk.options.signal?.throwIfAborted();
    const session = walk.db.client.startSession({ snapshot: true });
    try {
      cursor = await read(walk, session, cursor);
    } catch (error) {
      const isLost = error instanceof MongoServerError && SNAPSHOT_LOST.has(error.code);
      if (!isLost || walk.pageSize <= PAGE_SIZE_MIN) throw error;
      walk.pageSize = Math.max(PAGE_SIZE_MIN, Math.floor(walk.pageSize * 0.5));
    } finally {
      await session.endSession();
    }
  }
}

/** The snapshot of the session, not the majority reads that the client asks for otherwise. */
export function readsIn(session: ClientSession) {
  return {
    session,
    readConcern: { level: 'snapshot' as const },
    maxTimeMS: LIMITS.mongoMaxTimeMs,
  };
}

export function rowsPerPage(walk: Walk): number {
  return Math.ceil(walk.pageSize * ROWS_PER_ENTRY);
}

/** A `from` behind this id and everything derived from it, before every other id. */
export function justAfter(id: string): string {
  return `${id}/`;
}
