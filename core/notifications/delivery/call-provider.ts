import { LIMITS } from '../../../config/limits.ts';
import { type Clock, startTimer } from '../../kernel/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type Tracer, isSampled, noTracer } from '../../telemetry/tracer.ts';
import type { Attempt } from './delivery.ts';
import type { Channel, Messages, Provider, SendOutcome } from '../ports.ts';

interface Call<C extends Channel> {
  readonly provider: Provider<C>;
  readonly message: Messages[C];
  readonly key: string;
  readonly timeoutMs: number;
  /** Of the delivery. */
  readonly traceparent?: string;
  /** By the database's clock. */
  readonly now: () => number;
}

export interface CallDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly workerId: string;
  readonly tracer?: Tracer;
}

export interface Called {
  readonly outcome: SendOutcome;
  readonly attempt: Attempt;
}

/** One call, which ends within its time whatever the provider does, and its line for the journal. */
export async function callProvider<C extends Channel>(
  deps: CallDeps,
  call: Call<C>,
): Promise<Called> {
  const { clock, metrics, workerId } = deps;
  const { channel, name } = call.provider;
  const at = new Date(call.now());
  const startedMs = clock.monotonicMs();
  const outcome = await outcomeTraced(deps, call);
  const ms = Math.round(clock.monotonicMs() - startedMs);
  metrics.deliveryAttempts.inc({ channel, provider: name, outcome: outcome.kind });
  metrics.deliveryAttemptSeconds.observe({ channel, provider: name }, ms / 1_000);
  return { outcome, attempt: { ...attemptOf(outcome), provider: name, at, ms, worker: workerId } };
}

/** A span of the operation's trace, where that is recorded. */
async function outcomeTraced<C extends Channel>(
  deps: CallDeps,
  call: Call<C>,
): Promise<SendOutcome> {
  const { tracer = noTracer } = deps;
  const { traceparent: parent, provider } = call;
  if (!tracer.isOn || !isSampled(parent)) return outcomeOf(deps, call);
  const { channel, name } = provider;
  const attributes = { 'sluice.channel': channel, 'sluice.provider': name };
  const span = tracer.start(`deliver ${channel}`, { kind: 'client', parent, attributes });
  const outcome = await outcomeOf(deps, call);
  const error = outcome.kind === 'sent' ? undefined : outcome.kind;
  span.end({ attributes: { 'sluice.outcome': outcome.kind }, error });
  return outcome;
}

async function outcomeOf<C extends Channel>(
  { logger }: CallDeps,
  { provider, message, key, timeoutMs, now }: Call<C>,
): Promise<SendOutcome> {
  const deadline = startDeadline(timeoutMs);
  try {
    return await Promise.race([
      provider.send(message, { key, now, signal: deadline.signal }),
      deadline.missed,
    ]);
  } catch (err) {
    const { channel, name } = provider;
    logger.error({ err, channel, provider: name }, 'provider.threw');
    const detail = 'The provider failed for a reason that is not the message';
    return { kind: 'fault', code: 'provider_error', detail, mayHaveSent: true };
  } finally {
    deadline.release();
  }
}

/** One signal and one timer for a call, and a second one for a provider that ignores its signal. */
function startDeadline(ms: number) {
  const controller = new AbortController();
  let release: () => void = () => undefined;
  const missed = new Promise<never>((_resolve, reject) => {
    release = startTimer(ms, () => {
      controller.abort();
      release = startTimer(LIMITS.deliveryMarginMs / 2, () => {
        reject(new Error('the provider did not come back'));
      });
    });
  });
  return {
    signal: controller.signal,
    missed,
    release: () => {
      release();
    },
  };
}

const DETAIL_CHARS_MAX = 500;

function attemptOf(outcome: SendOutcome): Pick<Attempt, 'outcome' | 'code' | 'detail'> {
  const { kind, status } = outcome;
  const reference = kind === 'sent' ? outcome.reference : undefined;
  return {
    outcome: kind,
    ...(status !== undefined && { status }),
    ...(reference !== undefined && { reference: reference.slice(0, DETAIL_CHARS_MAX) }),
    ...('code' in outcome && {
      code: outcome.code,
      detail: outcome.detail.slice(0, DETAIL_CHARS_MAX),
    }),
  };
}
