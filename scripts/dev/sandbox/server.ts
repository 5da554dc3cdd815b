import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  type Answer,
  PAYMENT_KINDS,
  type PaymentKind,
  type PaymentRecord,
  createPayments,
} from './payments.ts';

/**
 * A payment provider that can be told to misbehave: a real HTTP server of the form that
 * core/payments/providers/http.ts speaks, plus `/faults` and `/payments` for tests and demos.
 */
const faultSchema = z.object({
  on: z.enum([...PAYMENT_KINDS, 'voids', 'payments']),
  kind: z.enum([
    'delay',
    'error',
    'hang',
    'effect-then-hang',
    'effect-then-error',
    'decline',
    'throttle',
  ]),
  /** Requests that it befalls; then it is gone. */
  times: z.int().positive().default(1),
  delayMs: z.int().min(0).default(1_000),
  /** `Retry-After` of `error` (503) and, by default the delay in seconds, of `throttle` (429). */
  retryAfter: z.string().optional(),
});
export type Fault = z.input<typeof faultSchema>;

export interface Sandbox {
  readonly url: string;
  inject(fault: Fault): void;
  /** Requests that faults are still planned for. */
  planned(): number;
  clear(): void;
  payments(): readonly PaymentRecord[];
  close(): Promise<void>;
}

type Injected = z.output<typeof faultSchema>;

export async function startSandbox(port = 0, host = '127.0.0.1'): Promise<Sandbox> {
  const payments = createPayments();
  const faults: Injected[] = [];
  const take = (on: Injected['on']): Injected | undefined => {
    const index = faults.findIndex((fault) => fault.on === on);
    const fault = faults[index];
    if (fault === undefined) return undefined;
    if (fault.times > 1) faults[index] = { ...fault, times: fault.times - 1 };
    else faults.splice(index, 1);
    return fault;
  };
  const inject = (fault: unknown): void => {
    faults.push(faultSchema.parse(fault));
  };

  const act = (request: Request, fault: Injected | undefined): Answer => {
    const { area, key, body } = request;
    if (area === 'voids') return payments.void((JSON.parse(body) as { of: string }).of);
    if (area === 'payments') return payments.find(key);
    const decline = fault?.kind === 'decline' ? 'declined on request' : undefined;
    return payments.pay({ kind: area, key, body }, decline);
  };
  const serve = async (request: Request, response: ServerResponse): Promise<void> => {
    const fault = take(request.area);
    switch (fault?.kind) {
      case 'error':
        if (fault.retryAfter !== undefined) {
          response.setHeader('retry-after', fault.retryAfter);
        }
        reply(response, { status: 503, body: { reason: 'out of order, on request' } });
        return;
      case 'hang':
        return; // the client gives up first
      case 'effect-then-hang':
        act(request, fault);
        return;
      case 'effect-then-error':
        act(request, fault);
        reply(response, { status: 500, body: { reason: 'done, but not telling' } });
        return;
      case 'delay':
        await sleep(fault.delayMs);
        break;
      case 'throttle':
        response.setHeader('retry-after', fault.retryAfter ?? Math.ceil(fault.delayMs / 1_000));
        reply(response, { status: 429, body: { reason: 'not so fast' } });
        return;
      case 'decline':
      case undefined:
        break;
    }
    reply(response, act(request, fault));
  };

  /** Looking changes nothing. */
  const faultsPage = (method: string, body: string): Answer => {
    if (method === 'GET') return { status: 200, body: { faults } };
    if (method !== 'POST' && method !== 'DELETE') {
      return { status: 405, body: { reason: 'GET lists, POST adds one, DELETE clears' } };
    }
    if (method === 'POST') inject(JSON.parse(body));
    else faults.splice(0);
    return { status: 204, body: {} };
  };

  const server = createServer((request, response) => {
    readBody(request)
      .then(async (body) => {
        const { pathname } = new URL(request.url ?? '/', 'http://sandbox');
        if (pathname === '/readyz') {
          reply(response, { status: 200, body: { status: 'ok' } });
        } else if (pathname === '/faults') {
          reply(response, faultsPage(request.method ?? '', body));
        } else if (pathname === '/payments') {
          reply(response, { status: 200, body: { payments: payments.list() } });
        } else {
          const parsed = parseRequest(pathname, request, body);
          if (parsed === undefined) reply(response, { status: 404, body: {} });
          else await serve(parsed, response);
        }
      })
      .catch((error: unknown) => {
        reply(response, { status: 400, body: { reason: String(error) } });
      });
  });
  await listen(server, port, host);
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(actual)}`,
    inject,
    planned: () => faults.reduce((sum, { times }) => sum + times, 0),
    clear: () => faults.splice(0),
    payments: () => payments.list(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Request {
  readonly area: PaymentKind | 'voids' | 'payments';
  readonly key: string;
  readonly body: string;
}

const PATH = /^\/v1\/(authorisations|captures|payouts|voids|payments)(?:\/([^/]+))?$/;

function parseRequest(
  pathname: string,
  request: IncomingMessage,
  body: string,
): Request | undefined {
  const match = PATH.exec(pathname);
  if (match === null) return undefined;
  const area = match[1] as Request['area'];
  const header = request.headers['idempotency-key'];
  const key = area === 'payments' ? decodeURIComponent(match[2] ?? '') : String(header ?? '');
  return key === '' && area !== 'voids' ? undefined : { area, key, body };
}

function reply(response: ServerResponse, { status, body, isReplay }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(isReplay === true && { 'idempotent-replayed': 'true' }),
  });
  response.end(status === 204 ? undefined : JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
