import type { Operation, WaitingFor } from './operation.ts';
import { type CallOptions, type Transport, segment } from './transport.ts';

/** What an operation has come to. */
export type Outcome =
  | { readonly outcome: 'succeeded'; readonly operation: Operation }
  | {
      /** Nothing is left of what it may have done; `operation.error` says why, where there is a reason. */
      readonly outcome: 'rejected' | 'compensated' | 'canceled' | 'expired';
      readonly operation: Operation;
    }
  /** A person has to look at it. */
  | { readonly outcome: 'needs_attention'; readonly operation: Operation }
  /** It goes on once somebody has said something: `operations.signal`. */
  | { readonly outcome: 'waiting'; readonly operation: Operation; readonly waitingFor: WaitingFor }
  /** The time is over, and it is still under way. */
  | { readonly outcome: 'pending'; readonly operation: Operation };

export interface WaitForOptions extends CallOptions {
  /** 60 s by default. */
  readonly timeoutMs?: number | undefined;
  /** Waits on where a signal is waited for. */
  readonly throughSignals?: boolean | undefined;
}

const WAIT_MS_DEFAULT = 60_000;
const WAIT_SECONDS_MAX = 30;
const POLL_MS = 100;
const POLL_MS_MAX = 5_000;

/**
 * Asks the server to say when it is done. A server that answers before that, because too many are
 * waiting, is asked again ever later.
 */
export function createWaitFor(
  transport: Transport,
): (id: string, options?: WaitForOptions) => Promise<Outcome> {
  const { clock } = transport.settings;
  return async (id, options = {}) => {
    const { timeoutMs = WAIT_MS_DEFAULT, throughSignals = false, ...call } = options;
    const endsMs = clock.now() + timeoutMs;
    const path = `/v1/operations/${segment(id)}`;
    for (let early = 0; ;) {
      const askedMs = clock.now();
      const wait = Math.max(0, Math.min(WAIT_SECONDS_MAX, Math.ceil((endsMs - askedMs) / 1_000)));
      const { body } = await transport.send({
        ...{ method: 'GET', path, repeat: 'safe', wait, options: call },
        isAnswer: ({ status }) => typeof status === 'string',
      });
      const outcome = outcomeOf(body as Operation);
      const isOver =
        outcome.outcome === 'waiting' ? !throughSignals : outcome.outcome !== 'pending';
      const nowMs = clock.now();
      if (isOver || nowMs >= endsMs) return outcome;
      early = nowMs - askedMs < wait * 500 ? early + 1 : 0;
      const pauseMs = Math.min(POLL_MS_MAX, POLL_MS * 2 ** Math.min(early, 10)) * clock.random();
      await clock.sleep(Math.min(pauseMs, endsMs - nowMs), call.signal);
    }
  };
}

export function outcomeOf(operation: Operation): Outcome {
  const { status, waitingFor } = operation;
  switch (status) {
    case 'succeeded':
    case 'rejected':
    case 'compensated':
    case 'canceled':
    case 'expired':
    case 'needs_attention':
      return { outcome: status, operation };
    case 'waiting':
      return waitingFor === undefined
        ? { outcome: 'pending', operation }
        : { outcome: 'waiting', operation, waitingFor };
    case 'accepted':
    case 'running':
    case 'compensating':
    default: // and what a newer server may call it
      return { outcome: 'pending', operation };
  }
}
