import { describe, expect, it } from 'vitest';
import { type QueueDepth, type ReplicaBounds, adviseReplicas } from '../../../queues/depth.ts';

const depth = (part: Partial<QueueDepth>): QueueDepth => ({
  queue: 'settlement-0',
  pool: 'settlement',
  waiting: 0,
  prioritised: 0,
  delayed: 0,
  due: 0,
  active: 0,
  oldestWaitSeconds: 0,
  consumers: [],
  load: 0,
  ...part,
});
const advice = (depths: readonly QueueDepth[], bounds: Partial<ReplicaBounds> = {}, open = 0) =>
  adviseReplicas(depths, { min: 1, max: 20, ...bounds, openOperations: open, lanes: 8 })[0];

describe('how many workers a pool should have', () => {
  it('is the least when there is nothing to do, even if that is none', () => {
    expect(advice([depth({ delayed: 500 })])).toMatchObject({ backlog: 0, recommendedReplicas: 1 });
    expect(advice([depth({})], { min: 0, max: 20 })).toMatchObject({ recommendedReplicas: 0 });
  });

  it('counts all that is to be done now, over all queues of the pool', () => {
    const depths = [
      depth({ waiting: 10_000, prioritised: 10_000, delayed: 90_000, due: 10_000 }),
      depth({ queue: 'settlement-1', active: 256, waiting: 19_744 }),
      depth({ queue: 'events', pool: 'notification', waiting: 7 }),
    ];
    expect(advice(depths)).toMatchObject({ backlog: 50_000, recommendedReplicas: 3 });
    const advices = adviseReplicas(depths, { min: 1, max: 20, openOperations: 9_000, lanes: 8 });
    expect(advices[1]).toMatchObject({
      pool: 'notification',
      backlog: 7,
      recommendedReplicas: 1,
    });
  });

  it('counts operations where a job of a lane stands for many', () => {
    const depths = [depth({ waiting: 700 }), depth({ queue: 'saga', pool: 'saga', waiting: 7 })];
    expect(advice(depths, {}, 45_000)).toMatchObject({ backlog: 45_000, recommendedReplicas: 3 });
    expect(advice(depths, {}, 10)).toMatchObject({ backlog: 700, recommendedReplicas: 1 });
  });

  it('counts deliveries where a job stands for many', () => {
    const queue = { queue: 'notify-webhook', pool: 'notification' } as const;
    const depths = [depth({ ...queue, waiting: 1_000, active: 16, perJob: 50 })];
    expect(advice(depths)).toMatchObject({ backlog: 50_800, recommendedReplicas: 11 });
  });

  it('counts a process once, however many lanes it holds', () => {
    const depths = [depth({ consumers: ['w1', 'w2'] }), depth({ consumers: ['w2'] })];
    expect(advice(depths)).toMatchObject({ workers: 2 });
  });

  it('is one more than now when something has waited too long', () => {
    const waiting = depth({ waiting: 3, oldestWaitSeconds: 11, consumers: ['w1', 'w2'] });
    expect(advice([waiting])).toMatchObject({ oldestWaitSeconds: 11, recommendedReplicas: 3 });
  });

  it('is never more than asked for, nor than there are lanes', () => {
    const flood = depth({ waiting: 10_000_000 });
    expect(advice([flood], { min: 1, max: 4 })).toMatchObject({ recommendedReplicas: 4 });
    expect(advice([flood], { min: 1, max: 500 })).toMatchObject({
      recommendedReplicas: 8,
    });
    const events = depth({ queue: 'events', pool: 'notification', waiting: 10_000_000 });
    expect(advice([events], { min: 1, max: 500 })).toMatchObject({ recommendedReplicas: 500 });
  });

  it('is never less than asked for', () => {
    expect(advice([depth({})], { min: 12, max: 20 })).toMatchObject({ recommendedReplicas: 12 });
  });
});
