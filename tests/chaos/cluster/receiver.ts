import { type IncomingMessage, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createWebhookInbox } from '../../../scripts/dev/stand-ins/webhooks.ts';
import type { WebhookReceipt } from '../checker/evidence.ts';

/** What tenants' webhooks are sent to: a real server that checks every signature. */
export interface WebhookReceiver {
  readonly port: number;
  receipts(): readonly WebhookReceipt[];
  trust(name: string, secret: string): void;
  /** The next so many requests to an endpoint are answered with that status, and count for nothing. */
  fail(name: string, status: number, times: number): { strikes(): number; lift(): void };
  close(): Promise<void>;
}

/** On all of 127.0.0.0/8, so that endpoints have hosts of their own, and breakers. */
const HOST = '0.0.0.0';

export async function startWebhookReceiver(nowMs: () => number): Promise<WebhookReceiver> {
  const inbox = createWebhookInbox();
  const receipts: WebhookReceipt[] = [];
  const failing = new Map<string, { status: number; left: number; struck: number }>();

  const take = async (request: IncomingMessage): Promise<number> => {
    const name = /^\/webhooks\/([\w-]+)$/.exec(request.url ?? '')?.[1];
    const body = await readBody(request);
    if (request.method !== 'POST' || name === undefined) return 404;
    const fault = failing.get(name);
    if (fault !== undefined && fault.left > 0) {
      fault.left -= 1;
      fault.struck += 1;
      return fault.status;
    }
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [key, String(value)]),
    );
    const verdict = inbox.verify(name, body, headers);
    receipts.push({
      endpoint: name,
      atMs: nowMs(),
      verdict,
      id: headers['webhook-id'] ?? '',
      ...eventOf(body),
    });
    return verdict === 'verified' ? 204 : 401;
  };
  const server = createServer((request, response) => {
    take(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(400).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  return Object.freeze({
    port: (server.address() as AddressInfo).port,
    receipts: () => receipts,
    trust: (name: string, secret: string) => {
      inbox.trust(name, [secret]);
    },
    fail: (name: string, status: number, times: number) => {
      const fault = { status, left: times, struck: 0 };
      failing.set(name, fault);
      return {
        strikes: () => fault.struck,
        lift: () => {
          fault.left = 0;
        },
      };
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** The event's own id and name, as the body has them. */
function eventOf(body: string): Pick<WebhookReceipt, 'eventId' | 'event' | 'operationId'> {
  const parsed = JSON.parse(body) as { id?: string; type?: string; operationId?: string };
  return {
    eventId: parsed.id ?? '',
    event: parsed.type ?? '',
    operationId: parsed.operationId ?? '',
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
