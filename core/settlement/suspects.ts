import { LIMITS } from '../../config/limits.ts';
import { laneNumberOf } from '../operations/lane-layout.ts';
import type { OperationDoc } from '../operations/operation.ts';
import type { SettleStore } from '../operations/settle-store.ts';
import type { BatchReport, BatchRunner } from './batch-runner.ts';
import type { Candidate } from './lane-selection.ts';
import type { BoundDoc } from './decide.ts';

/**
 * Operations that may have killed the last owner of their lane. Nobody can tell which it was, so
 * those that were there are counted before they are tried again; what has been counted before goes in
 * groups that shrink with every death, so that neighbours are soon out of it; and what has killed its
 * worker too often is put before a human. Lanes whose owner has not died pay nothing.
 */
export interface Suspects {
  /** Everything accepted in the lane until then. */
  watch(lane: number, until: Date): void;
  /** The part of a batch, from its beginning, that may be tried together. */
  cut(batch: readonly Candidate[]): readonly Candidate[];
  run(batch: readonly BoundDoc[], slot: number): Promise<BatchReport>;
}

interface SuspectsDeps {
  readonly runner: BatchRunner;
  readonly operations: Pick<SettleStore, 'count'>;
}

export function createSuspects({ runner, operations }: SuspectsDeps): Suspects {
  const watched = new Map<number, Date>();
  /** Counted by this process, which is alive: once, however often it has to try them. */
  const counted = new Set<string>();

  const isSuspect = ({ lane = -1, createdAt, interruptions = 0 }: OperationDoc): boolean => {
    const until = watched.get(laneNumberOf(lane));
    return interruptions > 0 || (until !== undefined && createdAt <= until);
  };

  return Object.freeze({
    watch: (lane: number, until: Date) => {
      watched.set(lane, until);
    },
    cut: (batch: readonly Candidate[]) => {
      const isMarked = (candidate: Candidate | undefined): boolean => deathsOf(candidate) > 0;
      const first = isMarked(batch[0]);
      let max = Infinity;
      const end = batch.findIndex((candidate, index) => {
        if (isMarked(candidate)) max = Math.min(max, togetherMax(deathsOf(candidate)));
        return isMarked(candidate) !== first || index >= max;
      });
      return end === -1 ? batch : batch.slice(0, Math.max(1, end));
    },
    run: async (batch: readonly BoundDoc[], slot: number) => {
      const suspects = batch.map(({ operation }) => operation).filter(isSuspect);
      if (suspects.length === 0) return runner.run(batch, slot);
      const worn = batch.filter(({ operation }) => isWornOut(operation));
      if (worn.length > 0) return runner.park(worn, wornOut);
      const fresh = suspects.map(({ _id }) => _id).filter((id) => !counted.has(id));
      await operations.count(fresh, 1);
      for (const id of fresh) counted.add(id);
      const report = await runner.run(batch, slot);
      const over = new Set([...report.settled, ...report.parked]);
      const innocent = suspects.map(({ _id }) => _id).filter((id) => !over.has(id));
      for (const id of over) counted.delete(id);
      if (innocent.length > 0) {
        await operations.count(innocent, -1);
        for (const id of innocent) counted.delete(id);
      }
      return report;
    },
  } satisfies Suspects);
}

function deathsOf(candidate: Candidate | undefined): number {
  return candidate?.one.operation.interruptions ?? 0;
}

/** 64, 8, then alone: a backlog is soon through, and whoever goes alone was there each time. */
function togetherMax(deaths: number): number {
  return 8 ** Math.max(0, 3 - deaths);
}

function isWornOut({ interruptions = 0 }: OperationDoc): boolean {
  return interruptions >= LIMITS.interruptionsMax;
}

function wornOut({ interruptions = 0 }: OperationDoc): string {
  return `Its worker died or stalled ${interruptions} times`;
}
