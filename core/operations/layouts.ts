import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import { layoutOf, storedLaneOf, storedLanesOf } from './lane-layout.ts';
import { type LayoutStore, type LineHead, createLayoutStore } from './layout-store.ts';
import { type OperationDoc, isOlder } from './operation.ts';

/** An operation about to be settled. */
type Due = Pick<OperationDoc, '_id' | 'orderingKey' | 'stamp' | 'lane'>;

/**
 * The layouts of lanes in which operations stand: usually the one of the setting. While the setting
 * changes, or processes differ in it, a line may stand in the lanes of several; what is accepted
 * there keeps its lane, and nothing passes what is older.
 */
export interface Layouts {
  /** The stored lanes that the queues of these numbers wake. */
  storedLanes(numbers: readonly number[]): readonly number[];
  /** Learns of layouts in which something is open; whether one of them is new. */
  learn(): Promise<boolean>;
  /** The same, and forgets those that have been empty for a while; how many numbers they have. */
  refresh(): Promise<number>;
  /**
   * Of operations that have been read from their lanes: those with an older one of their line in a
   * lane of another layout. To be asked after `learn`, and that after the lanes were read: nothing
   * ever moves from a lane to another, so what is older is either seen or settled.
   */
  behindOthers(operations: readonly Due[]): Promise<readonly Due[]>;
}

interface LayoutsDeps {
  readonly store: LayoutStore;
  /** Of the setting. */
  readonly own: number;
  readonly clock: Clock;
}

/** On MongoDB. */
export function openLayouts(
  db: Parameters<typeof createLayoutStore>[0],
  deps: Omit<LayoutsDeps, 'store'>,
): Layouts {
  return createLayouts({ ...deps, store: createLayoutStore(db) });
}

function createLayouts({ store, own, clock }: LayoutsDeps): Layouts {
  /** When something was last seen open there. */
  const seenAt = new Map<number, number>([[own, Number.POSITIVE_INFINITY]]);

  const see = (layouts: readonly number[]): boolean => {
    const isNew = layouts.some((layout) => !seenAt.has(layout));
    for (const layout of layouts) if (layout !== own) seenAt.set(layout, clock.monotonicMs());
    return isNew;
  };

  return Object.freeze({
    storedLanes: (numbers: readonly number[]) => storedLanesOf([...seenAt.keys()], numbers),
    learn: async () => see(await store.open([...seenAt.keys()])),
    refresh: async () => {
      see(await store.open([]));
      for (const [layout, ms] of seenAt) {
        if (clock.monotonicMs() - ms > LIMITS.laneLayoutKeptMs) seenAt.delete(layout);
      }
      return Math.max(...seenAt.keys());
    },
    behindOthers: async (operations: readonly Due[]) => {
      const heads = await Promise.all(
        [...linesElsewhere(operations, [...seenAt.keys()])].map(async ([lane, lines]) => ({
          lane,
          found: await store.heads(lane, [...lines]),
        })),
      );
      if (heads.length === 0) return [];
      // What is older in its own lane has been read with it.
      return operations.filter((one) =>
        heads.some(
          ({ lane, found }) => lane !== one.lane && isBehind(one, found.get(one.orderingKey)),
        ),
      );
    },
  } satisfies Layouts);
}

/** Where else than in their own lanes the lines of some operations may stand. */
function linesElsewhere(
  operations: readonly Due[],
  layouts: readonly number[],
): ReadonlyMap<number, ReadonlySet<string>> {
  const byLane = new Map<number, Set<string>>();
  for (const { orderingKey, lane } of operations) {
    for (const layout of layouts) {
      if (lane !== undefined && layoutOf(lane) === layout) continue;
      const other = storedLaneOf(orderingKey, layout);
      byLane.set(other, (byLane.get(other) ?? new Set()).add(orderingKey));
    }
  }
  return byLane;
}

function isBehind(one: Due, head: LineHead | undefined): boolean {
  return head !== undefined && isOlder(head, one);
}
