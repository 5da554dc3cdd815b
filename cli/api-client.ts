import { z } from 'zod';
import { parseRetryAfter } from '../core/kernel/retry-after.ts';
import { CliError, EXIT } from './exit.ts';
import type { Connection } from './connection.ts';
import { type RetryPolicy, createRetry } from './retry.ts';

/** An answer that is worth looking at: neither the network's nor an overloaded server's. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** It was asked for more than once, so an earlier try may have had its effect. */
  readonly isRepeated: boolean;
}

interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests that are repeated until they are answered; every one of them must be safe to repeat. */
export interface ApiClient {
  /**
   * @throws CliError `usage` when the key is not accepted, `gaveUp` when nothing answers for too
   * long; the reason of the signal.
   */
  send(request: ApiRequest): Promise<Reply>;
}

interface ApiClientOptions {
  readonly connection: Connection;
  readonly retry: RetryPolicy;
  /** How long the very first answer may take: a wrong address should not cost minutes. */
  readonly firstAnswerMs: number;
}

const REQUEST_TIMEOUT_MS = 60_000;
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const NOT_ACCEPTED: ReadonlySet<number> = new Set([401, 403]);

export const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.looseObject({ pointer: z.string(), detail: z.string() })).optional(),
});

export function createApiClient({ connection, retry, firstAnswerMs }: ApiClientOptions): ApiClient {
  let hasAnswered = false;
  return Object.freeze({
    send: async (request: ApiRequest): Promise<Reply> => {
      const forMs = hasAnswered ? retry.forMs : firstAnswerMs;
      const attempts = createRetry({ ...retry, forMs });
      for (let tries = 1; ; tries += 1) {
        const answer = await ask(connection, request, retry.signal);
        if (answer.reply !== undefined) {
          hasAnswered = true;
          if (!RETRIED.has(answer.reply.status)) {
            return accepted({ ...answer.reply, isRepeated: tries > 1 }, connection);
          }
        }
        await attempts.failed(answer.problem, answer.retryAfterMs).catch((error: unknown) => {
          throw hasAnswered ? error : withHint(error, connection);
        });
      }
    },
  });
}

interface Answer {
  readonly reply?: Omit<Reply, 'isRepeated'>;
  /** Why to try again, should the status ask for it. */
  readonly problem: string;
  readonly retryAfterMs?: number;
}

async function ask(
  connection: Connection,
  request: ApiRequest,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(signal.reason);
  };
  const timer = setTimeout(() => {
    stopping.abort(new Error('no answer in time'));
  }, REQUEST_TIMEOUT_MS);
  signal.addEventListener('abort', stop);
  try {
    const response = await fetch(connection.url + request.path, {
      method: request.method,
      headers: { ...authorization(connection), ...request.headers },
      ...(request.body !== undefined && { body: request.body }),
      redirect: 'error',
      signal: stopping.signal,
    });
    const text = await response.text();
    const reply = { status: response.status, body: parseBody(text) };
    const asked = response.headers.get('retry-after');
    const retryAfterMs = parseRetryAfter(asked, { nowMs: Date.now() });
    return {
      reply,
      problem: `the server answers ${response.status} ${describeProblem(reply.body)}`.trimEnd(),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: `no connection to ${connection.url} (${causeOf(error)})` };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Some pages need no key, and an empty one is worse than none. */
function authorization({ key }: Connection): Record<string, string> {
  return key === '' ? {} : { authorization: `Bearer ${key}` };
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function describeProblem(body: unknown): string {
  const problem = problemSchema.safeParse(body).data;
  return problem === undefined ? '' : `${problem.code}: ${problem.detail ?? ''}`;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function accepted(reply: Reply, connection: Connection): Reply {
  if (!NOT_ACCEPTED.has(reply.status)) return reply;
  const text = describeProblem(reply.body);
  throw new CliError(`${connection.url} does not accept the API key: ${text}`, EXIT.usage);
}

function withHint(error: unknown, connection: Connection): unknown {
  if (!(error instanceof CliError) || error.exitCode !== EXIT.gaveUp) return error;
  return new CliError(
    `Nothing answers at ${connection.url}. ${connection.hint}`,
    EXIT.gaveUp,
    error,
  );
}
