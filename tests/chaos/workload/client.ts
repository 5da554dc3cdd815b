import { setTimeout as sleep } from 'node:timers/promises';
import type { Purpose } from '../checker/evidence.ts';
import type { History } from './history.ts';

/** One operation that a client wants, under its key. */
export interface Request {
  readonly key: string;
  readonly type: string;
  readonly input: unknown;
  readonly purpose?: Purpose;
}

export type Outcome =
  | { readonly kind: 'answered'; readonly id: string; readonly status: string }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown' };

/** A client as it should be: it sends a request again, with its key, until it knows. */
export interface Client {
  /** One HTTP request. */
  send(request: Request, api?: number): Promise<Outcome>;
  sendBulk(requests: readonly Request[], api?: number): Promise<readonly Outcome[]>;
  /** Again and again, at one API and the other, until there is an answer or the time is over. */
  sendSurely(request: Request, timeoutMs?: number): Promise<Outcome>;
  read(id: string, api?: number): Promise<void>;
  get(path: string, api: number, key?: string): Promise<{ status: number; body: unknown }>;
  post(path: string, key: string, body: unknown): Promise<{ status: number; body: unknown }>;
  /** Requests whose outcome is not known yet, by key. */
  unknown(): readonly Request[];
}

export interface ClientDeps {
  readonly apis: readonly { readonly name: string; readonly url: string }[];
  readonly apiKey: string;
  readonly history: History;
  readonly nowMs: () => number;
  /** Ends waits between tries. */
  readonly signal: AbortSignal;
}

const REQUEST_MS = 8_000;
const SURELY_MS = 20_000;
const PAUSE_MS = 300;
/** Not taken, and it is worth trying again. */
const TRY_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

interface Brief {
  readonly id?: string;
  readonly status?: string;
  readonly code?: string;
}

export function createClient(deps: ClientDeps): Client {
  const { apis, history, nowMs } = deps;
  const unknown = new Map<string, Request>();
  let requests = 0;
  let turn = 0;

  const call = async (path: string, api: number, init: RequestInit, key = deps.apiKey) => {
    const url = `${apis[api % apis.length]?.url ?? ''}${path}`;
    const response = await fetch(url, {
      ...init,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        ...(init.headers as Readonly<Record<string, string>> | undefined),
      },
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const text = await response.text();
    return { response, body: parsed(text) };
  };
  const nameOf = (api: number): string => apis[api % apis.length]?.name ?? '?';
  const settle = (request: Request, outcome: Outcome): Outcome => {
    if (outcome.kind === 'unknown') unknown.set(request.key, request);
    else unknown.delete(request.key);
    return outcome;
  };
  const invoke = (request: Request, sent: Sent, item?: number): void => {
    const { key, type, input, purpose = {} } = request;
    history.add({
      kind: 'invoked',
      atMs: nowMs(),
      ...sent,
      key,
      type,
      input,
      purpose,
      ...(item !== undefined && { item }),
    });
  };
  const told = (request: Request, sent: Sent, reply: Reply): Outcome => {
    const { key } = request;
    const event = { atMs: nowMs(), ...sent, key, ...reply };
    history.add(event); // a reply has the fields of its kind
    return settle(request, outcomeOf(reply));
  };

  const send = async (request: Request, api = turn++): Promise<Outcome> => {
    const sent = { request: requests++, api: nameOf(api) };
    const { key, type, input } = request;
    invoke(request, sent);
    try {
      const { response, body } = await call('/v1/operations', api, {
        method: 'POST',
        headers: { 'idempotency-key': key },
        body: JSON.stringify({ type, input }),
      });
      const isReplay = response.headers.get('idempotent-replayed') === 'true';
      return told(request, sent, replyOf(response.status, body as Brief, isReplay));
    } catch (error) {
      return told(request, sent, { kind: 'unknown', reason: reasonOf(error) });
    }
  };
  const sendBulk = async (items: readonly Request[], api = turn++): Promise<readonly Outcome[]> => {
    const sent = { request: requests++, api: nameOf(api) };
    items.forEach((request, index) => {
      invoke(request, sent, index);
    });
    try {
      const { response, body } = await call('/v1/operations/bulk', api, {
        method: 'POST',
        body: JSON.stringify(
          items.map(({ key, type, input }) => ({ idempotencyKey: key, type, input })),
        ),
      });
      const results = (body as BulkBody).results ?? [];
      return items.map((request, index) => {
        const one = results[index];
        if (one === undefined) {
          return told(request, sent, replyOf(response.status, body as Brief, false));
        }
        const brief = one.operation ?? one.problem ?? {};
        return told(request, sent, replyOf(one.status, brief, one.replayed === true));
      });
    } catch (error) {
      const reason = reasonOf(error);
      return items.map((request) => told(request, sent, { kind: 'unknown', reason }));
    }
  };

  return Object.freeze({
    send,
    sendBulk,
    sendSurely: async (request: Request, timeoutMs = SURELY_MS) => {
      const endMs = nowMs() + timeoutMs;
      let outcome = await send(request);
      while (outcome.kind === 'unknown' && nowMs() < endMs && !deps.signal.aborted) {
        await sleep(PAUSE_MS);
        outcome = await send(request);
      }
      return outcome;
    },
    read: async (id: string, api = turn++) => {
      const fromMs = nowMs();
      try {
        const { response, body } = await call(`/v1/operations/${id}`, api, { method: 'GET' });
        const { status = '' } = body as Brief;
        const seen = { id, http: response.status, status: response.ok ? status : '' };
        history.add({ kind: 'read', fromMs, atMs: nowMs(), api: nameOf(api), ...seen });
      } catch {
        // A look that failed says nothing.
      }
    },
    get: async (path: string, api: number, key?: string) => {
      const { response, body } = await call(path, api, { method: 'GET' }, key);
      return { status: response.status, body };
    },
    post: async (path: string, key: string, body: unknown) => {
      const init = {
        method: 'POST',
        headers: { 'idempotency-key': key },
        body: JSON.stringify(body),
      };
      const answer = await call(path, turn++, init);
      return { status: answer.response.status, body: answer.body };
    },
    unknown: () => [...unknown.values()],
  });
}

interface Sent {
  readonly request: number;
  readonly api: string;
}

type Reply =
  | {
      readonly kind: 'answered';
      readonly id: string;
      readonly http: number;
      readonly status: string;
      readonly isReplay: boolean;
    }
  | { readonly kind: 'refused'; readonly http: number; readonly code: string }
  | { readonly kind: 'unknown'; readonly reason: string };

interface BulkBody {
  readonly results?: readonly {
    readonly status: number;
    readonly replayed?: boolean;
    readonly operation?: Brief;
    readonly problem?: Brief;
  }[];
}

function replyOf(http: number, brief: Brief, isReplay: boolean): Reply {
  if ((http === 200 || http === 202) && brief.id !== undefined) {
    return { kind: 'answered', id: brief.id, http, status: brief.status ?? '', isReplay };
  }
  if (http >= 400 && http < 500 && !TRY_AGAIN.has(http)) {
    return { kind: 'refused', http, code: brief.code ?? '' };
  }
  return { kind: 'unknown', reason: `${String(http)} ${brief.code ?? ''}`.trim() };
}

function outcomeOf(reply: Reply): Outcome {
  switch (reply.kind) {
    case 'answered':
      return { kind: 'answered', id: reply.id, status: reply.status };
    case 'refused':
      return { kind: 'refused', code: reply.code };
    case 'unknown':
      return { kind: 'unknown' };
  }
}

/** @throws SyntaxError when the answer was cut off: it then says nothing. */
function parsed(text: string): unknown {
  return text === '' ? {} : (JSON.parse(text) as unknown);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `${error.name} ${code}`.trim();
}
