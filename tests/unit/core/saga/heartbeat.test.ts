import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../../core/kernel/clock.ts';
import { type OperationId, newOperationId } from '../../../../core/kernel/ids.ts';
import { createHeartbeat } from '../../../../core/saga/heartbeat.ts';
import type { Lease, Renewal } from '../../../../core/saga/journal.ts';
import type { Claim } from '../../../../core/operations/claim.ts';
import { createLogger } from '../../../../core/telemetry/logger.ts';

const TIMING = { leaseMs: 30_000, heartbeatMs: 10_000, fenceMs: 5_000 };

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that stands still until it is moved; who sleeps is woken when it has come that far. */
function createHandClock() {
  let nowMs = 0;
  let sleepers: readonly Sleeper[] = [];
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after: () => undefined,
    sleep: (ms, signal) =>
      new Promise<void>((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        sleepers = [...sleepers, { dueMs: nowMs + ms, wake }];
        signal?.addEventListener('abort', wake);
      }),
  };
  const move = async (ms: number): Promise<void> => {
    const endMs = nowMs + ms;
    for (;;) {
      await settle();
      const [next] = sleepers.toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > endMs) break;
      nowMs = next.dueMs;
      sleepers = sleepers.filter((one) => one !== next);
      next.wake();
    }
    nowMs = endMs;
    await settle();
  };
  return { clock, move, pass: (ms: number) => (nowMs += ms) };
}

function claimOf(_id: OperationId): Claim {
  return { operation: { _id }, epoch: 3, at: new Date(0) } as Claim;
}

const OURS: Renewal = { isOurs: true, isCancelRequested: false };

/** A heartbeat whose renewals are answered by the test, or at its end. */
function open(answer: (leases: readonly Lease[]) => Promise<readonly Renewal[]>) {
  const hand = createHandClock();
  let end = (): void => undefined;
  const ended = new Promise<readonly Renewal[]>((resolve) => {
    end = () => {
      resolve([]);
    };
  });
  const heartbeat = createHeartbeat({
    journal: { renew: (leases) => Promise.race([answer(leases), ended]) },
    timing: TIMING,
    clock: hand.clock,
    logger: createLogger({ level: 'silent', service: 'test' }),
  });
  onTestFinished(async () => {
    end();
    await heartbeat.close();
  });
  return { ...hand, heartbeat };
}

describe('a lease that is held', () => {
  it('is renewed for as long as it is', async () => {
    const asked: number[] = [];
    const { heartbeat, move } = open((leases) => {
      asked.push(leases.length);
      return Promise.resolve(leases.map(() => OURS));
    });
    const lease = heartbeat.hold(claimOf(newOperationId()), 0);
    await move(120_000);
    expect([lease.mayCall(), lease.signal.aborted]).toEqual([true, false]);
    lease.drop();
    const before = asked.length;
    await move(30_000);
    expect(before).toBeGreaterThan(10);
    expect(asked).toHaveLength(before);
  });

  it('counts from when its renewal was asked for, not from when that was answered', async () => {
    let answer = (): void => undefined;
    const { heartbeat, move } = open(
      (leases) =>
        new Promise((resolve) => {
          answer = () => {
            resolve(leases.map(() => OURS));
          };
        }),
    );
    const lease = heartbeat.hold(claimOf(newOperationId()), 0);
    await move(10_000); // asked
    await move(14_000);
    answer();
    await move(0);
    // The lease ends 30 s after it was asked for; no call within 5 s of that.
    await move(10_999);
    expect(lease.mayCall()).toBe(true);
    await move(2);
    expect(lease.mayCall()).toBe(false);
  });

  it('is given up when nobody renews it, before another worker can have it', async () => {
    const { heartbeat, move, pass } = open(() => new Promise(() => undefined));
    const lease = heartbeat.hold(claimOf(newOperationId()), 0);
    pass(24_999);
    expect(lease.mayCall()).toBe(true);
    pass(1);
    expect(lease.mayCall()).toBe(false);
    await move(1_000);
    expect(lease.signal.aborted).toBe(true);
  });

  it('that another worker has taken is let go at once', async () => {
    const { heartbeat, move } = open((leases) =>
      Promise.resolve(leases.map(() => ({ ...OURS, isOurs: false }))),
    );
    const lease = heartbeat.hold(claimOf(newOperationId()), 0);
    await move(10_000);
    expect([lease.signal.aborted, lease.mayCall()]).toEqual([true, false]);
  });

  it('brings the news that its operation is to be canceled', async () => {
    let isCancelRequested = false;
    const { heartbeat, move } = open((leases) =>
      Promise.resolve(leases.map(() => ({ ...OURS, isCancelRequested }))),
    );
    const lease = heartbeat.hold(claimOf(newOperationId()), 0);
    await move(10_000);
    expect(lease.isCancelRequested()).toBe(false);
    isCancelRequested = true;
    await move(10_000);
    expect(lease.isCancelRequested()).toBe(true);
    isCancelRequested = false; // once said it stays so
    await move(10_000);
    expect(lease.isCancelRequested()).toBe(true);
  });
});
