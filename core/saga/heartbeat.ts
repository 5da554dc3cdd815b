import { type Clock, startTicker } from '../kernel/clock.ts';
import type { Lease, SagaJournal } from './journal.ts';
import type { Claim } from '../operations/claim.ts';
import type { Logger } from '../telemetry/logger.ts';

/** A claim as its holder sees it: nothing here says "ours" once that may no longer be true. */
export interface HeldLease {
  /** Aborts when the lease is lost, or may be. */
  readonly signal: AbortSignal;
  /** By the monotonic clock: false from 5 s before the lease could end. */
  mayCall(): boolean;
  isCancelRequested(): boolean;
  drop(): void;
}

export interface Heartbeat {
  /** `sinceMs`: monotonic time just before the claim was asked for. */
  hold(claim: Claim, sinceMs: number): HeldLease;
  close(): Promise<void>;
}

export interface LeaseTiming {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** No new external call this close to the end. */
  readonly fenceMs: number;
}

interface HeartbeatDeps {
  readonly journal: Pick<SagaJournal, 'renew'>;
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Holding {
  readonly lease: Lease;
  readonly abort: AbortController;
  readonly sinceMs: number;
  safeUntilMs: number;
  isCancelRequested: boolean;
}

/** Renews all leases of this process together, in database time, and fences them by our own. */
export function createHeartbeat({ journal, timing, clock, logger }: HeartbeatDeps): Heartbeat {
  const holdings = new Set<Holding>();
  const { leaseMs, heartbeatMs, fenceMs } = timing;

  const renew = async (): Promise<void> => {
    // Most are over before they would have to be renewed.
    const now = clock.monotonicMs();
    const held = [...holdings].filter(
      ({ abort, sinceMs }) => !abort.signal.aborted && now - sinceMs >= heartbeatMs / 2,
    );
    if (held.length === 0) return;
    const sentMs = clock.monotonicMs();
    const renewals = await journal.renew(held.map(({ lease }) => lease));
    for (const [index, holding] of held.entries()) {
      const renewal = renewals[index];
      if (renewal?.isOurs === true) {
        holding.safeUntilMs = sentMs + leaseMs - fenceMs;
        holding.isCancelRequested ||= renewal.isCancelRequested;
      } else {
        holding.abort.abort(new Error('another worker has the operation'));
      }
    }
  };
  const fence = async (): Promise<void> => {
    const now = clock.monotonicMs();
    for (const { abort, safeUntilMs } of holdings) {
      if (now >= safeUntilMs) abort.abort(new Error('the lease may have ended'));
    }
  };
  const onError = (err: unknown): void => {
    logger.warn({ err }, 'saga.heartbeat.failed');
  };
  const tickers = [
    startTicker({ intervalMs: heartbeatMs, run: renew, onError, clock }),
    startTicker({ intervalMs: Math.max(10, leaseMs / 30), run: fence, onError, clock }),
  ];

  return Object.freeze({
    hold: ({ operation, epoch }: Claim, sinceMs: number) => {
      const holding: Holding = {
        lease: { operationId: operation._id, epoch },
        abort: new AbortController(),
        sinceMs,
        safeUntilMs: sinceMs + leaseMs - fenceMs,
        isCancelRequested: operation.cancelRequested !== undefined,
      };
      holdings.add(holding);
      return {
        signal: holding.abort.signal,
        mayCall: () => !holding.abort.signal.aborted && clock.monotonicMs() < holding.safeUntilMs,
        isCancelRequested: () => holding.isCancelRequested,
        drop: () => {
          holdings.delete(holding);
        },
      };
    },
    close: async () => {
      await Promise.all(tickers.map((ticker) => ticker.stop()));
    },
  } satisfies Heartbeat);
}
