import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ClientOptions, createClient } from '../../../client/src/index.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly atMs: number;
}

export type Act = (response: ServerResponse, seen: Seen) => void;

/** A server that does with each request what its script says; the last line of it for all further ones. */
export async function startScripted(...script: readonly Act[]) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined); // the client may go
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString();
      const one = { method, url, headers, body, atMs: performance.now() };
      seen.push(one);
      script[Math.min(seen.length, script.length) - 1]?.(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    seen,
    keys: () => seen.map(({ headers }) => headers['idempotency-key']),
    client: (options: Partial<ClientOptions> = {}) =>
      createClient({
        ...{ baseUrl: url, apiKey: 'slk_test_key' },
        retries: { baseMs: 1, capMs: 5 },
        ...options,
      }),
  };
}

const OPERATION = { id: 'op_1', type: 'transfer', status: 'accepted', idempotencyKey: 'k' };

const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Act =>
  (response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
  };

export const says = {
  json,
  accepted: json(202, OPERATION),
  problem: (
    status: number,
    code: string,
    {
      retryable = status >= 500,
      retryAfter,
    }: { readonly retryable?: boolean; readonly retryAfter?: string } = {},
  ): Act =>
    json(
      status,
      { type: `/problems/${code}`, title: code, status, detail: 'so it is', code, retryable },
      retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    ),
  html:
    (status: number): Act =>
    (response) => {
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>');
    },
  /** Reads, and never answers. */
  nothing: (() => undefined) as Act,
  cut: ((response) => response.destroy()) as Act,
  /** The head and a part of the body, and then the connection breaks. */
  half: ((response) => {
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"id":"op_1",', () => response.destroy());
  }) as Act,
  /** A body without end, as fast as it is taken. */
  flood: ((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = (): void => {
      if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more);
    };
    response.on('drain', more);
    more();
  }) as Act,
};
