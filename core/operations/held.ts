import type { OperationId } from '../kernel/ids.ts';
import type { Pauses } from '../service-config/pause.ts';
import type { Head } from './line-store.ts';
import { laneNumberOf } from './lane-layout.ts';
import { type OperationDoc, isOlder } from './operation.ts';

type Waiting = Pick<OperationDoc, '_id' | 'orderingKey' | 'stamp' | 'type' | 'tenantId' | 'lane'>;

/**
 * Which of some operations a pause holds back, and by which: those that it covers, and whatever is
 * younger in the line of one of them, so that no line changes its order. Pure.
 */
export function heldIn(operations: readonly Waiting[], pauses: Pauses): Map<OperationId, string> {
  const held = new Map<OperationId, string>();
  if (pauses.active.length === 0) return held;
  const first = new Map<string, { readonly one: Waiting; readonly pause: string }>();
  for (const one of operations) {
    const pause = pauseOf(one, pauses);
    const known = first.get(one.orderingKey);
    if (pause === undefined || (known !== undefined && !isOlder(one, known.one))) continue;
    first.set(one.orderingKey, { one, pause });
  }
  for (const one of operations) {
    const wall = first.get(one.orderingKey);
    if (wall !== undefined && !isOlder(one, wall.one)) held.set(one._id, wall.pause);
  }
  return held;
}

/** The pause that an operation waits for. */
function pauseOf(
  { type, tenantId, lane }: Pick<Waiting, 'type' | 'tenantId' | 'lane'>,
  pauses: Pauses,
): string | undefined {
  const place = lane === undefined ? {} : { lane: laneNumberOf(lane) };
  return pauses.on({ type, tenant: tenantId, ...place })?._id;
}

/** Of those that stand behind something, the ones that wait for a pause with it. Pure. */
export function behindPaused(
  operations: readonly Waiting[],
  heads: ReadonlyMap<string, Head>,
  isPaused: (pause: string) => boolean,
): Map<OperationId, string> {
  const held = new Map<OperationId, string>();
  for (const { _id, orderingKey } of operations) {
    const pause = heads.get(orderingKey)?.first?.pausedBy;
    if (pause !== undefined && isPaused(pause)) held.set(_id, pause);
  }
  return held;
}

export function byPause<T>(held: ReadonlyMap<T, string>): ReadonlyMap<string, T[]> {
  const found = new Map<string, T[]>();
  for (const [one, pause] of held) found.set(pause, [...(found.get(pause) ?? []), one]);
  return found;
}
