import { describe, expect, it } from 'vitest';
import type { QueueDepth } from '../../../queues/depth.ts';
import { sumDepths } from '../../../queues/depth-sum.ts';

const depth = (given: Partial<QueueDepth>): QueueDepth => ({
  ...{ queue: 'saga', pool: 'saga', waiting: 1, prioritised: 0, delayed: 2, due: 1, active: 3 },
  ...{ oldestWaitSeconds: 0, consumers: ['w1'], load: 5 },
  ...given,
});

describe('the queues of several cells', () => {
  it('are one queue by name, with the oldest wait of any and each process once', () => {
    const other = depth({ oldestWaitSeconds: 9, consumers: ['w1', 'w2'], waiting: 4 });
    const events = depth({ queue: 'events', pool: 'notification', perJob: 3 });
    expect(sumDepths([[depth({}), events], [other]])).toEqual([
      depth({
        ...{ waiting: 5, delayed: 4, due: 2, active: 6, oldestWaitSeconds: 9, load: 10 },
        consumers: ['w1', 'w2'],
      }),
      events,
    ]);
  });

  it('of one cell stay as they are, and without one there are none', () => {
    const one = [depth({})];
    expect(sumDepths([one])).toBe(one);
    expect(sumDepths([])).toEqual([]);
  });
});
