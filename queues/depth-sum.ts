import { present } from '../core/kernel/assert.ts';
import type { QueueDepth } from './depth.ts';

/** The queues of several cells as if each name were one queue, for whoever scales processes. */
export function sumDepths(cells: readonly (readonly QueueDepth[])[]): readonly QueueDepth[] {
  const [only, ...others] = cells;
  if (only !== undefined && others.length === 0) return only;
  const byName = new Map<string, QueueDepth[]>();
  for (const depth of cells.flat()) {
    const same = byName.get(depth.queue);
    if (same === undefined) byName.set(depth.queue, [depth]);
    else same.push(depth);
  }
  return [...byName.values()].map(sumOfOne);
}

function sumOfOne(depths: readonly QueueDepth[]): QueueDepth {
  const first = present(depths[0], 'a queue of one cell at least');
  const sum = (count: (depth: QueueDepth) => number): number =>
    depths.reduce((total, depth) => total + count(depth), 0);
  const most = (count: (depth: QueueDepth) => number): number => Math.max(...depths.map(count));
  return {
    ...first,
    waiting: sum(({ waiting }) => waiting),
    prioritised: sum(({ prioritised }) => prioritised),
    delayed: sum(({ delayed }) => delayed),
    due: sum(({ due }) => due),
    active: sum(({ active }) => active),
    oldestWaitSeconds: most(({ oldestWaitSeconds }) => oldestWaitSeconds),
    consumers: [...new Set(depths.flatMap(({ consumers }) => consumers))],
    load: sum(({ load }) => load),
    ...(first.perJob !== undefined && { perJob: most(({ perJob = 1 }) => perJob) }),
  };
}
