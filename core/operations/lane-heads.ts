import { storedLaneOf } from './lane-layout.ts';

/** A line and the lane that follows from it. */
export interface LineInLane {
  readonly orderingKey: string;
  readonly lane: number;
}

/** Where some lines may stand: in a lane of each layout. */
export function inLanesOf(lines: readonly string[], layouts: readonly number[]): LineInLane[] {
  return layouts.flatMap((layout) =>
    lines.map((orderingKey) => ({ orderingKey, lane: storedLaneOf(orderingKey, layout) })),
  );
}

export function byLane(lines: readonly LineInLane[]): ReadonlyMap<number, readonly string[]> {
  const lanes = new Map<number, string[]>();
  for (const { lane, orderingKey } of lines) {
    const keys = lanes.get(lane);
    if (keys === undefined) lanes.set(lane, [orderingKey]);
    else keys.push(orderingKey);
  }
  return lanes;
}

/**
 * The heads of some lines of one lane: `_id` is the line, `id` the operation. Lane, line and order
 * are those of an index, of which the server then looks at one place for each line, however long the
 * lines and the backlog are: of one lane, since for several it would read every line to its end.
 */
export function headsOf(
  lane: number,
  lines: readonly string[],
  fields: readonly string[],
): Record<string, unknown>[] {
  const firsts: Record<string, unknown> = Object.fromEntries(
    fields.map((field) => [field, { $first: `$${field}` }]),
  );
  return [
    { $match: { lane, orderingKey: { $in: [...new Set(lines)] }, status: 'accepted' } },
    { $sort: { orderingKey: 1, stamp: 1, _id: 1 } },
    { $group: { _id: '$orderingKey', id: { $first: '$_id' }, ...firsts } },
  ];
}
