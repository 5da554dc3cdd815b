import { tenant } from './state.ts';
import type { Problem } from './types.ts';

/** No call of the console waits longer: what takes longer is away for an operator. */
const CALL_MS_MAX = 15_000;

/** A call that was refused, or that did not get through. */
class CallError extends Error {
  readonly problem: Problem;
  /** 0: there was no answer. */
  readonly status: number;

  constructor(problem: Problem, status: number) {
    super(problem.detail);
    this.problem = problem;
    this.status = status;
  }
}

interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  /** Makes the repeat of a write harmless. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/**
 * Calls an endpoint for the tenant that is chosen, as the operator who has signed in.
 *
 * @throws CallError
 */
export async function call<T>(path: string, given: Call = {}): Promise<T> {
  const response = await request(path, given);
  const text = response.status === 204 ? 'null' : await response.text();
  const body = jsonIn(text);
  if (response.status === 401) leaveForSignIn();
  if (!response.ok) throw new CallError(problemIn(body, response.status), response.status);
  return body as T; // the one place where what comes in gets its type
}

/** Readiness tells what is wrong in the body of a 503. */
export async function callWhatever<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal === undefined ? {} : { signal });
  return jsonIn(await response.text()) as T; // as above
}

export async function callText(path: string, signal?: AbortSignal): Promise<string> {
  const response = await request(path, signal === undefined ? {} : { signal });
  const text = await response.text();
  if (!response.ok) throw new CallError(problemIn(jsonIn(text), response.status), response.status);
  return text;
}

async function request(path: string, { method = 'GET', body, key, signal }: Call) {
  const timeout = AbortSignal.timeout(CALL_MS_MAX);
  try {
    return await fetch(path, {
      method,
      headers: {
        'Sluice-Console': '1',
        'Sluice-Tenant': tenant.value,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(key !== undefined && { 'Idempotency-Key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new CallError(noAnswer(timeout.aborted), 0);
  }
}

function noAnswer(isLate: boolean): Problem {
  const detail = isLate
    ? `There was no answer within ${String(CALL_MS_MAX / 1_000)} seconds.`
    : 'The API cannot be reached from this browser.';
  return { type: '', code: 'no_answer', title: 'No answer', detail };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function problemIn(body: unknown, status: number): Problem {
  const isProblem = typeof body === 'object' && body !== null && 'code' in body && 'detail' in body;
  if (isProblem) return body as Problem; // by its code and detail
  const detail = `The answer was ${String(status)} and no problem document.`;
  return { type: '', code: `http_${String(status)}`, title: 'Unexpected answer', detail, status };
}

/** The session is over: to the form, and back to this page afterwards. */
function leaveForSignIn(): void {
  const here = `${location.pathname}${location.search}`;
  location.assign(`/admin/login?next=${encodeURIComponent(here)}`);
}

export function problemOf(error: unknown): Problem {
  if (error instanceof CallError) return error.problem;
  return { type: '', code: 'console', title: 'The console failed', detail: String(error) };
}

export function newKey(): string {
  return `console-${crypto.randomUUID()}`;
}
