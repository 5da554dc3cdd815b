import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BooksSample, type EntryRow, OVER } from '../checker/evidence.ts';
import { addTo } from '../checker/rule.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Reader } from './reader.ts';
import { readEntries, walletRow } from './rows.ts';

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
/** Sums of all entries too, so often and as long as they are few enough. */
const ENTRIES_EVERY = 10;
const ENTRIES_MAX = 60_000;

export function startSampler(cluster: Cluster, reader: Reader): Sampler {
  const samples: BooksSample[] = [];
  const remembered = new Map<string, string>();
  const rewritten: { id: string; change: string }[] = [];
  let missed = 0;
  let open = 0;
  let isOver = false;
  let round = 0;
  let entriesSeen = 0;

  const sample = async (): Promise<void> => {
    round += 1;
    const wantsEntries = round % ENTRIES_EVERY === 0 && entriesSeen < ENTRIES_MAX;
    const taken = await reader.snapshot(async (read) => {
      const wallets = (await read.find('wallets')).map(walletRow);
      const entries = wantsEntries ? await readEntries(read) : undefined;
      const unfinished = await read.find('operations', { status: { $nin: OVER } }, { _id: 1 });
      return { wallets, entries, open: unfinished.length };
    });
    open = taken.open;
    const sums = new Map<string, bigint>();
    for (const { currency, balance, bonusBalance, lockedBalance } of taken.wallets) {
      addTo(sums, `${currency} real`, balance);
      addTo(sums, `${currency} bonus`, bonusBalance);
      addTo(sums, `${currency} locked`, lockedBalance);
    }
    const overspent = taken.wallets
      .filter(({ userId }) => !userId.startsWith('sys:'))
      .filter(
        ({ balance, lockedBalance, overdraftLimit }) =>
          balance - lockedBalance + overdraftLimit < 0n,
      )
      .map(
        ({ userId, balance, lockedBalance }) =>
          `${userId} ${String(balance)} - ${String(lockedBalance)}`,
      );
    entriesSeen = taken.entries?.length ?? entriesSeen;
    samples.push({
      atMs: cluster.nowMs(),
      wallets: sums,
      overspent,
      ...(taken.entries !== undefined && { entries: entrySums(taken.entries) }),
    });
  };
  const run = async (): Promise<void> => {
    while (!isOver) {
      const startedMs = cluster.nowMs();
      await sample().catch(() => {
        missed += 1;
      });
      await sleep(Math.max(50, EVERY_MS - (cluster.nowMs() - startedMs)));
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

function entrySums(entries: readonly EntryRow[]): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { currency, balanceType, amount } of entries) {
    addTo(sums, `${currency} ${balanceType}`, amount);
  }
  return sums;
}

function hashOf(entry: EntryRow): string {
  const text = JSON.stringify(entry, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
