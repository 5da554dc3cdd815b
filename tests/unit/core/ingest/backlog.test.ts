import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { startBacklog } from '../../../../core/ingest/backlog.ts';
import { createShares } from '../../../../core/ingest/shares.ts';
import { createLogger } from '../../../../core/telemetry/logger.ts';
import { createMetrics } from '../../../../core/telemetry/metrics.ts';

const MAX = LIMITS.acceptedBacklogMax;

/** What waits, by tenant; also whom was counted. */
function open(waiting: Readonly<Record<string, number>>) {
  const counted: string[] = [];
  const all = Object.values(waiting).reduce((sum, one) => sum + one, 0);
  const backlog = startBacklog({
    countOpen: async (max, tenantId) => {
      if (tenantId !== undefined) counted.push(tenantId);
      const found = tenantId === undefined ? all : (waiting[tenantId] ?? 0);
      return Promise.resolve(Math.min(max, found));
    },
    clock: { ...systemClock, sleep: () => new Promise((resolve) => setImmediate(resolve)) },
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
  });
  onTestFinished(() => backlog.close());
  return { backlog, counted };
}

const fullFor = (backlog: ReturnType<typeof open>['backlog'], tenants: readonly string[]) =>
  expect.poll(() => tenants.filter((tenantId) => backlog.isFullFor(tenantId)));

describe('a flood of one tenant', () => {
  it('is refused to that tenant alone once it leaves no more than it takes', async () => {
    const { backlog } = open({ flood: MAX / 2 - 10, other: 10 });
    await expect.poll(() => backlog.size()).toBe(MAX / 2);
    expect(backlog.isFullFor('flood')).toBe(false);
    const { backlog: later } = open({ flood: MAX / 2, other: 10 });
    await fullFor(later, ['flood', 'other', 'new']).toEqual(['flood']);
  });

  it('leaves room beside another flood, and all are refused when nothing is left', async () => {
    const { backlog } = open({ a: MAX / 3 + 10, b: MAX / 3 + 10, c: 10 });
    await fullFor(backlog, ['a', 'b', 'c']).toEqual(['a', 'b']);
    const { backlog: full } = open({ a: MAX });
    await fullFor(full, ['a', 'b']).toEqual(['a', 'b']);
  });

  it('costs no look at tenants while none can have had its share', async () => {
    const { backlog, counted } = open({ a: MAX / 2 - 1 });
    backlog.isFullFor('a');
    await expect.poll(() => backlog.size()).toBe(MAX / 2 - 1);
    expect(counted).toEqual([]);
  });

  it('fills its own share of a process, which comes back when it is taken', () => {
    const shares = createShares(100);
    shares.take('flood', 50);
    shares.take('other', 1);
    expect(['flood', 'other'].map(shares.isFullFor)).toEqual([true, false]);
    shares.giveBack('flood', 2);
    expect(['flood', 'other'].map(shares.isFullFor)).toEqual([false, false]);
  });
});
