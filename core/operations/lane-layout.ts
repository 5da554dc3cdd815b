import { LIMITS } from '../../config/limits.ts';
import { laneOf } from './operation.ts';

/**
 * How many lanes there are is a setting, and every operation keeps the lane of the setting under
 * which it was accepted: its layout. A stored lane names both, the layout and the number of the lane
 * in it, so that the lanes of two layouts are never taken for each other. A number is one queue and
 * one lease, whatever the layout.
 */
const SPAN = 100;

/** Its lanes bear their number alone, as all did before there was another. */
export const FIRST_LAYOUT = 8;

/** The lane of an ordering key under a layout, as it is stored. */
export function storedLaneOf(orderingKey: string, layout: number): number {
  return spanOf(layout).from + laneOf(orderingKey, layout);
}

/** Its queue and its lease. */
export function laneNumberOf(storedLane: number): number {
  return storedLane % SPAN;
}

export function layoutOf(storedLane: number): number {
  return storedLane < SPAN ? FIRST_LAYOUT : Math.floor(storedLane / SPAN);
}

/** The stored lanes of some numbers in some layouts. */
export function storedLanesOf(layouts: readonly number[], numbers: readonly number[]): number[] {
  return layouts.flatMap((layout) =>
    numbers.filter((number) => number < layout).map((number) => spanOf(layout).from + number),
  );
}

/** From the first lane of a layout to the first of what comes after it. */
function spanOf(layout: number): { readonly from: number; readonly to: number } {
  const from = layout === FIRST_LAYOUT ? 0 : layout * SPAN;
  return { from, to: from + SPAN };
}

/** Ranges of stored lanes that belong to none of some layouts, in order. */
export function gapsBeside(
  layouts: readonly number[],
): readonly { readonly $gte: number; readonly $lt: number }[] {
  const spans = layouts.map(spanOf).sort((a, b) => a.from - b.from);
  const ends = [0, ...spans.map(({ to }) => to)];
  const starts = [...spans.map(({ from }) => from), (LIMITS.lanesEver + 1) * SPAN];
  return ends
    .map(($gte, index) => ({ $gte, $lt: starts[index] ?? $gte }))
    .filter(({ $gte, $lt }) => $gte < $lt);
}
