import { ABORTED } from './clock.ts';
import {
  type Problem,
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorOptions,
  problemIn,
} from './errors.ts';
import { isObject, parsed } from './json.ts';
import type { Settings } from './options.ts';
import { readText } from './read-body.ts';
import { retryAfterMsOf } from './retry.ts';

/** One request, as it is sent each time. */
export interface Prepared {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether an answer is one of this endpoint. */
  readonly isAnswer: (body: Readonly<Record<string, unknown>>) => boolean;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when there is none (204). */
  readonly body: unknown;
}

/** `unknown`: it may have had its effect. `none`: surely not. `settled`: no try could have had one. */
type Effect = 'unknown' | 'none' | 'settled';

/** What will be thrown, unless another try does better. */
export interface Failure {
  readonly code: SluiceErrorCode;
  readonly message: string;
  readonly options: SluiceErrorOptions;
  readonly effect: Effect;
}

export type Attempt = { readonly response: ApiResponse } | { readonly failure: Failure };

type Deps = Pick<Settings, 'fetch' | 'clock' | 'responseBytesMax'>;

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Sends a request once. Never rejects. */
export async function attempt(deps: Deps, prepared: Prepared, limits: Limits): Promise<Attempt> {
  const { signal, timeoutMs } = limits;
  const stopping = new AbortController();
  let isLate = false;
  const stop = (): void => {
    stopping.abort(signal?.reason);
  };
  const cancelTimer = deps.clock.after(timeoutMs, () => {
    isLate = true;
    stopping.abort();
  });
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    const { method, url, headers, body = null } = prepared;
    const init = { method, headers, body, redirect: 'manual', signal: stopping.signal } as const;
    const response = await deps.fetch(url, init);
    const text = await readText(response, deps.responseBytesMax);
    return judged(prepared, response, { text, nowMs: deps.clock.now() });
  } catch (cause) {
    return { failure: failureOf(cause, limits, isLate) };
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', stop);
  }
}

function failureOf(cause: unknown, { signal, timeoutMs }: Limits, isLate: boolean): Failure {
  const effect = 'unknown';
  if (signal?.aborted === true) {
    return { code: 'aborted', message: ABORTED, effect, options: { cause: signal.reason } };
  }
  if (cause instanceof SluiceError) {
    return { code: cause.code, message: cause.message, effect, options: {} };
  }
  const options = { cause, retryable: true };
  if (isLate) {
    return { code: 'client_timeout', message: `No answer within ${timeoutMs} ms`, effect, options };
  }
  const isSent = !wasNeverSent(cause);
  return {
    code: 'network',
    message: networkText(cause),
    options,
    effect: isSent ? effect : 'none',
  };
}

function judged(
  prepared: Prepared,
  { status, headers, type }: Response,
  { text, nowMs }: { readonly text: string; readonly nowMs: number },
): Attempt {
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    const message = `The server sends the request elsewhere (${status}); is baseUrl right?`;
    return { failure: { code: 'bad_response', message, options: { status }, effect: 'none' } };
  }
  const body = parsed(text);
  if (status < 300) {
    const isSound = status === 204 || (isObject(body) && prepared.isAnswer(body));
    if (isSound) return { response: { status, headers, body } };
    const message = 'The answer is not one of this endpoint';
    const options = { status, retryable: true };
    return { failure: { code: 'bad_response', message, options, effect: 'unknown' } };
  }
  return { failure: refused(headers, { status, problem: problemIn(body), nowMs }) };
}

const RETRIED: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Said before anything of the request was looked at. */
const UNTOUCHED: ReadonlySet<string> = new Set(['backlog_full', 'bodies_full', 'streams_full']);
/** What the same request gets whenever it comes, unless it was taken before. */
const SETTLED: ReadonlySet<number> = new Set([400, 409, 413, 415, 422]);

interface Refusal {
  readonly status: number;
  readonly problem: Problem | undefined;
  readonly nowMs: number;
}

/** An answer that says no. A status without a problem document is of something in between. */
export function refused(headers: Headers, { status, problem, nowMs }: Refusal): Failure {
  const code = problem?.code ?? 'http_error';
  return {
    code,
    message: `${code}: ${problem?.detail ?? `the server answers ${status}`}`,
    effect: effectOf(status, problem),
    options: {
      ...{ status, problem },
      retryable: problem?.retryable ?? RETRIED.has(status),
      retryAfterMs: retryAfterMsOf(headers.get('retry-after'), nowMs),
      correlationId: headers.get('x-correlation-id') ?? undefined,
    },
  };
}

function effectOf(status: number, problem: Problem | undefined): Effect {
  if (status >= 500) return UNTOUCHED.has(problem?.code ?? '') ? 'none' : 'unknown';
  if (problem === undefined || problem.retryable) return 'none';
  return SETTLED.has(status) || problem.code === 'not_found' ? 'settled' : 'none';
}

const NEVER_SENT: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'ConnectionRefused'],
]);

/** Some runtimes say why; a browser does not, and then it may have been. */
function wasNeverSent(error: unknown): boolean {
  return NEVER_SENT.has(codeIn(error) ?? codeIn(causeOf(error)));
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function codeIn(error: unknown): unknown {
  return isObject(error) && 'code' in error ? error['code'] : undefined;
}

function networkText(error: unknown): string {
  const code = codeIn(causeOf(error)) ?? codeIn(error);
  const why = typeof code === 'string' ? ` (${code})` : '';
  return `The connection failed${why}`;
}
