import type { Operation } from './generated/operation-models.ts';
import { SluiceError } from './errors.ts';
import type { WaitingFor } from './names.ts';
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
/** For the answer to come back once the server has waited. */
const GRACE_MS = 5_000;
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
    const isOver = ({ outcome }: Outcome): boolean =>
      outcome === 'waiting' ? !throughSignals : outcome !== 'pending';
    for (let early = 0; ;) {
      const askedMs = clock.now();
      const leftMs = Math.max(0, endsMs - askedMs);
      const wait = Math.min(WAIT_SECONDS_MAX, Math.ceil(leftMs / 1_000));
      const own = { ...call, timeoutMs: leftMs + GRACE_MS };
      const request = { method: 'GET', path, repeat: 'safe', wait, options: own } as const;
      const answer = await transport.send({ ...request, isAnswer: hasStatus }).catch(passing);
      const nowMs = clock.now();
      if ('body' in answer) {
        const outcome = outcomeOf(answer.body as Operation);
        if (isOver(outcome) || nowMs >= endsMs) return outcome;
      } else if (nowMs >= endsMs) throw answer;
      early = nowMs - askedMs < wait * 500 ? early + 1 : 0;
      const pauseMs = Math.min(POLL_MS_MAX, POLL_MS * 2 ** Math.min(early, 10)) * clock.random();
      await clock.sleep(Math.min(pauseMs, endsMs - nowMs), call.signal);
    }
  };
}

/** While there is time, a server that is away may come back: the operation is safe with it. */
function passing(error: unknown): SluiceError {
  if (error instanceof SluiceError && error.retryable) return error;
  throw error;
}

const hasStatus = ({ status }: Readonly<Record<string, unknown>>): boolean =>
  typeof status === 'string';

function outcomeOf(operation: Operation): Outcome {
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
