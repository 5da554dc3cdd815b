import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

/**
 * A real HTTP server that keeps to the contract of `POST /v1/operations/bulk` and
 * `GET /v1/operations?ids=`, and fails on demand. It knows nothing about money.
 */
export interface BulkServer {
  readonly url: string;
  readonly port: number;
  /** Accepted items in the order of acceptance, and how often each key came. */
  readonly accepted: readonly Stored[];
  readonly requests: readonly { readonly items: number; readonly bytes: number }[];
  readonly openMax: number;
  close(): Promise<void>;
}

export interface Stored {
  readonly id: string;
  readonly key: string;
  readonly item: Record<string, unknown>;
  times: number;
  status: string;
  error?: { code: string; detail: string };
}

export interface Behaviour {
  /** Before each bulk request: answer this instead, or `drop` the connection unanswered. */
  readonly instead?: (
    request: number,
  ) => { status: number; headers?: Record<string, string>; body?: unknown } | 'drop' | undefined;
  /** After it is stored and before it is answered: the connection breaks. */
  readonly loseAnswer?: (request: number) => boolean;
  /** What an item becomes: a settled status, or a refusal. */
  readonly judge?: (item: Record<string, unknown>, times: number) => Judgement;
  /** Looks at an operation before it is settled. */
  readonly looksBeforeSettled?: number;
}

export type Judgement =
  | { readonly settles: string; readonly code?: string }
  | { readonly refuse: number; readonly code: string; readonly pointer?: string }
  /** The whole request is refused, as for JSON that is nested too deeply. */
  | 'spoils';

const KEY = 'slk_test_aaaaaaaaaaaaaaaa';
export const TEST_KEY = KEY;

export async function startBulkServer(
  behaviour: Behaviour = {},
  { port = 0, known = [] }: { readonly port?: number; readonly known?: readonly Stored[] } = {},
): Promise<BulkServer> {
  const accepted: Stored[] = [...known];
  const byKey = new Map(accepted.map((stored) => [stored.key, stored]));
  const byId = new Map(accepted.map((stored) => [stored.id, stored]));
  const looks = new Map<string, number>();
  const requests: { items: number; bytes: number }[] = [];
  const outcomes = new Map<string, { status: string; code?: string }>();
  let openMax = 0;

  const store = (item: Record<string, unknown>): unknown => {
    const key = String(item['idempotencyKey']);
    const found = byKey.get(key);
    const judgement = behaviour.judge?.(item, found?.times ?? 0) ?? { settles: 'succeeded' };
    if (judgement !== 'spoils' && 'refuse' in judgement) return refusal(judgement);
    if (found !== undefined) {
      found.times += 1;
      return { status: 200, replayed: true, operation: { id: found.id, status: found.status } };
    }
    const id = `op_${randomBytes(16).toString('hex')}`;
    const stored: Stored = { id, key, item, times: 1, status: 'accepted' };
    accepted.push(stored);
    byKey.set(key, stored);
    byId.set(id, stored);
    if (judgement !== 'spoils') {
      const code = judgement.code === undefined ? {} : { code: judgement.code };
      outcomes.set(id, { status: judgement.settles, ...code });
    }
    openMax = Math.max(openMax, accepted.filter(({ status }) => status === 'accepted').length);
    return { status: 202, replayed: false, operation: { id, status: 'accepted' } };
  };

  const bulk = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await textOf(request);
    const items = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    requests.push({ items: items.length, bytes: Buffer.byteLength(text) });
    const instead = behaviour.instead?.(requests.length);
    if (instead === 'drop') {
      request.socket.destroy();
      return;
    }
    if (instead !== undefined) {
      const { status, headers = {}, body = { code: 'x', detail: 'no' } } = instead;
      reply(response, { status, body, headers });
      return;
    }
    if (items.some((item) => behaviour.judge?.(item, 0) === 'spoils')) {
      reply(response, { status: 400, body: { code: 'too_deep', detail: 'nested too deeply' } });
      return;
    }
    const results = items.map((item, index) => ({ index, ...(store(item) as object) }));
    if (behaviour.loseAnswer?.(requests.length) === true) request.socket.destroy();
    else reply(response, { status: 200, body: { results } });
  };

  const look = (url: URL, response: ServerResponse): void => {
    const ids = (url.searchParams.get('ids') ?? '').split(',');
    if (ids.length > 200) {
      reply(response, { status: 400, body: { code: 'invalid_request', detail: 'ids' } });
      return;
    }
    const items = ids.flatMap((id) => {
      const stored = byId.get(id);
      if (stored === undefined) return [];
      const count = (looks.get(id) ?? 0) + 1;
      looks.set(id, count);
      const outcome = outcomes.get(id) ?? { status: 'succeeded' };
      if (count > (behaviour.looksBeforeSettled ?? 0)) stored.status = outcome.status;
      const isRejected = stored.status === 'rejected';
      const error = { code: outcome.code ?? 'internal', detail: 'because' };
      return [{ id, status: stored.status, ...(isRejected && { error }) }];
    });
    reply(response, { status: 200, body: { items, nextCursor: null } });
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://host');
    if (request.headers.authorization !== `Bearer ${KEY}`) {
      reply(response, { status: 401, body: { code: 'unauthenticated', detail: 'who?' } });
    } else if (url.pathname === '/v1/operations/bulk') {
      bulk(request, response).catch((error: unknown) => response.destroy(error as Error));
    } else if (url.pathname === '/v1/operations') {
      look(url, response);
    } else {
      reply(response, { status: 404, body: { code: 'route_not_found', detail: 'no' } });
    }
  });
  await listen(server, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    accepted,
    requests,
    get openMax() {
      return openMax;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refusal({ refuse, code, pointer }: Extract<Judgement, { refuse: number }>) {
  const errors = pointer === undefined ? {} : { errors: [{ pointer, detail: 'is wrong' }] };
  return { status: refuse, problem: { code, detail: 'it is wrong', ...errors } };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

function reply(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
