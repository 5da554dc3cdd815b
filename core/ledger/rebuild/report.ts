import type { Violation } from '../verify/report.ts';
import type { Difference, RebuiltKind } from './differences.ts';

export type RebuildCounts = Record<RebuiltKind, number>;

export interface RebuildTally {
  /** Looked at. */
  readonly checked: RebuildCounts;
  /** Not what the log says, or not there. */
  readonly differing: RebuildCounts;
  /** Written anew. */
  readonly written: RebuildCounts;
  entries: number;
  /** Whose log contradicts itself: nothing of them is rebuilt. */
  damaged: number;
  /** No operation has opened them, and there are no entries: they are let be. */
  unexplained: number;
  readonly differences: Difference[];
  readonly damage: Violation[];
}

export function createTally(): RebuildTally {
  return {
    checked: { wallets: 0, transfers: 0, holds: 0 },
    differing: { wallets: 0, transfers: 0, holds: 0 },
    written: { wallets: 0, transfers: 0, holds: 0 },
    entries: 0,
    damaged: 0,
    unexplained: 0,
    differences: [],
    damage: [],
  };
}

/** All are counted, the first ones are kept. */
export function addPage(tally: RebuildTally, page: RebuildTally, keepMax: number): void {
  for (const kind of ['wallets', 'transfers', 'holds'] as const) {
    tally.checked[kind] += page.checked[kind];
    tally.differing[kind] += page.differing[kind];
    tally.written[kind] += page.written[kind];
  }
  tally.entries += page.entries;
  tally.damaged += page.damaged;
  tally.unexplained += page.unexplained;
  tally.differences.push(...page.differences.slice(0, keepMax - tally.differences.length));
  tally.damage.push(...page.damage.slice(0, keepMax - tally.damage.length));
}

export function differingOf({ differing }: RebuildTally): number {
  return differing.wallets + differing.transfers + differing.holds;
}

export interface RebuildReport extends RebuildTally {
  readonly applied: boolean;
  /** Every document was what the log says, or is now. */
  readonly isWhole: boolean;
  readonly elapsedMs: number;
}
