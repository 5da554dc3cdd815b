import { type ApiResponse, type Failure, type Prepared, attempt } from './attempt.ts';
import { ABORTED, throwIfAborted } from './clock.ts';
import { SluiceError, errorOf, invalidArgument } from './errors.ts';
import { canonicalText, jsonText } from './json.ts';
import { type KeyLease, createKeys } from './key-store.ts';
import { type Settings, timerOf } from './options.ts';
import { createRetryBudget, waitMsOf } from './retry.ts';

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of the whole call, its retries included. */
  readonly timeoutMs?: number | undefined;
  readonly correlationId?: string | undefined;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface ApiRequest {
  readonly method: Prepared['method'];
  readonly path: string;
  readonly query?: Query;
  readonly body?: object | undefined;
  /** JSON that is written already. */
  readonly rawBody?: string;
  /** `keyed`: with an idempotency key. `safe`: may be repeated as it is. `once`: must not be. */
  readonly repeat: 'keyed' | 'safe' | 'once';
  readonly idempotencyKey?: string | undefined;
  /** Seconds that the server is asked to wait for the outcome. */
  readonly wait?: number | undefined;
  readonly isMinimal?: boolean | undefined;
  readonly isAnswer?: Prepared['isAnswer'];
  readonly options?: CallOptions | undefined;
}

export interface Transport {
  /** @throws SluiceError */
  send(request: ApiRequest): Promise<ApiResponse>;
  /** The headers of a request that is sent by other means: a stream. */
  headersOf(request: Pick<ApiRequest, 'options'>): Promise<Record<string, string>>;
  urlOf(path: string, query?: Query): string;
  readonly settings: Settings;
}

export function createTransport(settings: Settings): Transport {
  const { clock, retry, baseUrl } = settings;
  const budget = createRetryBudget(retry.budget, clock);
  const keys = createKeys({
    ...{ store: settings.keyStore, clock },
    onError: settings.onKeyStoreError,
  });
  const urlOf = (path: string, query: Query = {}): string => baseUrl + path + searchOf(query);

  const headersOf: Transport['headersOf'] = async ({ options }) => {
    const correlationId = options?.correlationId ?? settings.correlationId();
    return {
      authorization: `Bearer ${await settings.apiKey()}`,
      ...(correlationId !== undefined && { 'x-correlation-id': correlationId }),
      ...(settings.userAgent !== undefined && { 'user-agent': settings.userAgent }),
    };
  };

  const prepare = async (request: ApiRequest, key: string | undefined): Promise<Prepared> => {
    const { method, path, query, body, rawBody, isAnswer = () => true } = request;
    const text = body === undefined ? rawBody : jsonText(body);
    const prefer = preferOf(request);
    return {
      ...{ method, url: urlOf(path, query), isAnswer },
      body: text,
      headers: {
        ...(await headersOf(request)),
        accept: 'application/json',
        ...(text !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(prefer !== '' && { prefer }),
      },
    };
  };

  /** Until it is answered, or its time is over, or trying again would be wrong. */
  const deliver = async (
    request: ApiRequest,
    effect: Effect,
    key?: string,
  ): Promise<ApiResponse> => {
    const { signal, timeoutMs } = request.options ?? {};
    const waitMs = (request.wait ?? 0) * 1_000;
    const totalMs = timeoutMs === undefined ? settings.timeoutMs + waitMs : timeoutMs;
    const endsMs = clock.now() + timerOf('timeoutMs', totalMs);
    for (let attempts = 1; ; attempts += 1) {
      // Anew for each: the key may have been renewed in between.
      const prepared = await prepare(request, key);
      const leftMs = Math.max(1, endsMs - clock.now());
      const ownMs = Math.min(settings.attemptTimeoutMs + waitMs, leftMs);
      const result = await attempt(settings, prepared, { timeoutMs: ownMs, signal });
      if ('response' in result) {
        budget.succeeded();
        return result.response;
      }
      const { failure } = result;
      effect.isUnknown = isUnknownAfter(effect.isUnknown, request, failure);
      const known = { attempts, isOutcomeUnknown: effect.isUnknown, idempotencyKey: key };
      const waiting = { asked: failure.options.retryAfterMs, random: clock.random };
      const pauseMs = waitMsOf(attempts - 1, retry, waiting);
      const isOver =
        !mayRepeat(request, failure) ||
        attempts > retry.retries ||
        clock.now() + pauseMs >= endsMs ||
        !budget.take();
      if (isOver) throw errorOf(failure.code, failure.message, { ...failure.options, ...known });
      await clock.sleep(pauseMs, signal).catch(() => {
        throw new SluiceError('aborted', ABORTED, { ...known, cause: signal?.reason });
      });
    }
  };

  const sendKeyed = async (request: ApiRequest): Promise<ApiResponse> => {
    const { method, path, query = {}, body = null, idempotencyKey } = request;
    const text = canonicalText([method, path, query, body]);
    const lease = await keys.lease(text, idempotencyKey);
    return underLease(lease, (effect) => deliver(request, effect, lease.key));
  };

  return Object.freeze({
    settings,
    urlOf,
    headersOf,
    send: async (request: ApiRequest) => {
      throwIfAborted(request.options?.signal);
      return request.repeat === 'keyed'
        ? sendKeyed(request)
        : deliver(request, { isUnknown: false });
    },
  });
}

/** Whether what a write asks for may have happened already. */
interface Effect {
  isUnknown: boolean;
}

/** The key is forgotten once it is known what became of the write, and not before. */
async function underLease<T>(lease: KeyLease, run: (effect: Effect) => Promise<T>): Promise<T> {
  // Of a call that nobody saw the end of: only an answer under its key says what came of it.
  const effect: Effect = { isUnknown: lease.isResumed };
  try {
    const result = await run(effect);
    effect.isUnknown = false;
    return result;
  } finally {
    if (effect.isUnknown) lease.leave();
    else await lease.settle();
  }
}

/** What an earlier try has done is known once an answer says what would have come of any of them. */
function isUnknownAfter(before: boolean, { method }: ApiRequest, { effect }: Failure): boolean {
  if (method === 'GET' || effect === 'settled') return false;
  return before || effect === 'unknown';
}

function mayRepeat({ repeat }: ApiRequest, { options, effect }: Failure): boolean {
  return options.retryable === true && (repeat !== 'once' || effect === 'none');
}

function preferOf({ wait = 0, isMinimal = false }: ApiRequest): string {
  if (!Number.isInteger(wait) || wait < 0 || wait > 30) {
    throw invalidArgument('wait must be 0 to 30 whole seconds');
  }
  return [...(wait > 0 ? [`wait=${wait}`] : []), ...(isMinimal ? ['return=minimal'] : [])].join(
    ', ',
  );
}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.append(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * A part of a path. What is empty, or would climb out of its place, is never sent: `users.get('')`
 * would be a list of all users.
 */
export function segment(text: string): string {
  if (typeof text === 'string' && !/^\.{0,2}$/.test(text)) return encodeURIComponent(text);
  throw invalidArgument('An id must be a text that is not empty');
}
