import {
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  createServer,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../core/telemetry/logger.ts';
import { inTurns } from './http-turns.ts';
import type { OpsPage, OpsPages } from './ops-pages.ts';

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

interface OpsServerOptions {
  readonly pages: OpsPages;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
}

const NOT_FOUND: OpsPage = {
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  body: '/healthz, /readyz and /metrics are here\n',
};

/** `/healthz`, `/readyz` and `/metrics` of a process that has no API. */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { pages, host, port, logger } = options;
  const pageOf = async (request: IncomingMessage): Promise<OpsPage> => {
    const { url = '/' } = request; // as it came: `//` and `http://[` are no URLs
    const [path = '/', query = ''] = url.split('?', 2);
    switch (path) {
      case '/healthz':
        return pages.health();
      case '/readyz':
        return pages.ready(requiredOf(new URLSearchParams(query)));
      case '/metrics':
        return pages.metrics();
      default:
        return NOT_FOUND;
    }
  };
  const listener: RequestListener = (request, response) => {
    pageOf(request)
      .catch((err: unknown): OpsPage => {
        logger.error({ err }, 'ops.page.failed');
        return { status: 500, contentType: 'text/plain; charset=utf-8', body: 'internal error\n' };
      })
      .then((page) => {
        answer(response, page);
      })
      .catch((err: unknown) => {
        logger.debug({ err }, 'ops.answer.failed');
      });
  };
  const server = createServer({ requireHostHeader: false }, inTurns(listener));
  server.on('checkExpectation', listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return Object.freeze({
    port: (server.address() as AddressInfo).port, // a TCP server has one once it listens
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    },
  });
}

/** `?require=a,b`: the dependencies that count. */
export function requiredOf(query: URLSearchParams): readonly string[] {
  return (query.get('require') ?? '').split(',').filter((name) => name !== '');
}

function answer(response: ServerResponse, { status, contentType, body }: OpsPage): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  response.end(body);
}
