import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BooksSample, EntryRow } from '../checker/evidence.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Reader } from './reader.ts';
import { readEntries } from './rows.ts';
import { countOpen, findOverspent, sumEntries, sumWallets } from './sums.ts';

/** Reads the books once a second while everything breaks, each time in one snapshot. */
export interface Sampler {
  samples(): readonly BooksSample[];
  /** Operations that had not ended when it was last looked. */
  open(): number;
  /** Times that no member could be read: that is no finding, but no proof either. */
  missed(): number;
  /** Remembers the log as it is, and compares it with what was remembered before. */
  remember(): Promise<void>;
  rewritten(): readonly { readonly id: string; readonly change: string }[];
  stop(): Promise<void>;
}

const EVERY_MS = 1_000;
/** Sums of all entries too, so often. */
const ENTRIES_EVERY_MS = 10_000;
/** Looks grow with what there is, so they come less often when they take long. */
const REST = 9;
const PAUSE_MS_MAX = 5_000;

export function startSampler(cluster: Cluster, reader: Reader): Sampler {
  const samples: BooksSample[] = [];
  const remembered = new Map<string, string>();
  const rewritten: { id: string; change: string }[] = [];
  let missed = 0;
  let open = 0;
  let isOver = false;
  let entriesDueMs = cluster.nowMs() + ENTRIES_EVERY_MS;

  const sample = async (): Promise<void> => {
    const startedMs = cluster.nowMs();
    const wantsEntries = startedMs >= entriesDueMs;
    const taken = await reader.snapshot(async (read) => ({
      open: await countOpen(read),
      wallets: await sumWallets(read),
      overspent: await findOverspent(read),
      entries: wantsEntries ? await sumEntries(read) : undefined,
    }));
    const { wallets, overspent, entries } = taken;
    open = taken.open;
    const atMs = cluster.nowMs();
    if (wantsEntries) entriesDueMs = atMs + Math.max(ENTRIES_EVERY_MS, REST * (atMs - startedMs));
    samples.push({ atMs, wallets, overspent, ...(entries !== undefined && { entries }) });
  };
  const run = async (): Promise<void> => {
    while (!isOver) {
      const startedMs = cluster.nowMs();
      await sample().catch(() => {
        missed += 1;
      });
      const tookMs = cluster.nowMs() - startedMs;
      await sleep(Math.min(PAUSE_MS_MAX, Math.max(EVERY_MS - tookMs, tookMs)));
    }
  };
  const running = run();
  return Object.freeze({
    samples: () => samples,
    open: () => open,
    missed: () => missed,
    remember: async () => {
      const entries = await reader.snapshot(readEntries);
      const found = new Map(entries.map((entry) => [entry.id, hashOf(entry)]));
      for (const [id, hash] of remembered) {
        const now = found.get(id);
        if (now === hash) continue;
        rewritten.push({ id, change: now === undefined ? 'is gone' : 'was changed' });
      }
      for (const [id, hash] of found) remembered.set(id, hash);
    },
    rewritten: () => rewritten,
    stop: async () => {
      isOver = true;
      await running;
    },
  });
}

function hashOf(entry: EntryRow): string {
  const text = JSON.stringify(entry, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
