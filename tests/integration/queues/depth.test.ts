import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/kernel/clock.ts';
import { present } from '../../../core/kernel/assert.ts';
import { createDepthReader } from '../../../queues/depth.ts';
import { openWorld } from '../../support/platform.ts';

const DAY_MS = 86_400_000;

describe('the depth of a queue', () => {
  it('tells waiting, prioritised, delayed and due apart, and how long the oldest waits', async () => {
    const { node } = await openWorld();
    const queue = present(node.queues.byName.get('events'), 'the queue');
    const data = { v: 1, rowId: 'r', tenantId: 't' };
    const past = Date.now() - 30_000;
    await queue.add('a', data, { timestamp: past });
    await queue.add('b', data);
    await queue.add('c', data, { priority: 5 });
    await queue.add('d', data, { delay: DAY_MS });
    await queue.add('e', data, { delay: 1, timestamp: past });
    const read = createDepthReader({
      queues: node.queues.byName,
      connection: node.queues.connection,
      clock: systemClock,
    });
    const depth = (await read()).find((one) => one.queue === 'events');
    expect(depth).toMatchObject({
      pool: 'notification',
      waiting: 2,
      prioritised: 1,
      delayed: 2,
      due: 1,
      active: 0,
      consumers: [],
      load: 4,
    });
    expect(depth?.oldestWaitSeconds).toBeGreaterThanOrEqual(30);
    expect(depth?.oldestWaitSeconds).toBeLessThan(60);
  });

  it('is read once for all who ask at once', async () => {
    const { node } = await openWorld();
    const read = createDepthReader({
      queues: node.queues.byName,
      connection: node.queues.connection,
      clock: systemClock,
    });
    expect(read()).toBe(read());
    expect((await read()).map(({ queue }) => queue)).toEqual([...node.queues.byName.keys()]);
  });
});
