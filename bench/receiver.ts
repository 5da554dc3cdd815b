import { createHmac } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Socket, createServer as createTcpServer } from 'node:net';
import { z } from 'zod';

/**
 * Receives webhooks for the benchmark, in a process of its own and as cheaply as it can: it checks
 * each signature, remembers which ids it has seen, and counts. `/w/<name>` answers at once,
 * `/w/<name>?ms=200` after so long; `GET /counts` says what has come, `GET /arrivals` when it came for
 * each operation, `PUT /secrets` what signs. On a second port connections are taken and nothing is ever
 * said.
 */
interface Inbox {
  received: number;
  readonly ids: Set<string>;
}

const secretsSchema = z.record(z.string(), z.string());
const secrets = new Map<string, Buffer>();
const inboxes = new Map<string, Inbox>();
let received = 0;
let repeated = 0;
let unsigned = 0;
let lastAt = 0;
/** When the first webhook about an operation came, by the operation. */
const arrivals = new Map<string, number>();
let isNoting = false;
const operationSchema = z.object({ operationId: z.string() });

function take(name: string, { headers }: IncomingMessage, body: string): number {
  const id = String(headers['webhook-id']);
  const key = secrets.get(name);
  const content = `${id}.${String(headers['webhook-timestamp'])}.${body}`;
  const signature = key && `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  if (signature !== headers['webhook-signature']) {
    unsigned += 1;
    return 401;
  }
  let inbox = inboxes.get(name);
  if (inbox === undefined) inboxes.set(name, (inbox = { received: 0, ids: new Set() }));
  inbox.received += 1;
  received += 1;
  if (inbox.ids.has(id)) repeated += 1;
  inbox.ids.add(id);
  lastAt = Date.now();
  if (isNoting) {
    const { operationId } = operationSchema.parse(JSON.parse(body));
    if (!arrivals.has(operationId)) arrivals.set(operationId, lastAt);
  }
  return 204;
}

function countsOf() {
  const distinct = [...inboxes.values()].reduce((sum, { ids }) => sum + ids.size, 0);
  return { received, distinct, repeated, unsigned, lastAt, inboxes: inboxes.size };
}

function serve(request: IncomingMessage, body: string, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  if (request.method === 'POST') {
    const status = take(path.slice('/w/'.length), request, body);
    const ms = Number(new URLSearchParams(query).get('ms') ?? 0);
    const answer = (): void => void response.writeHead(status).end();
    if (ms > 0) setTimeout(answer, ms);
    else answer();
  } else if (request.method === 'PUT') {
    for (const [name, secret] of Object.entries(secretsSchema.parse(JSON.parse(body)))) {
      secrets.set(name, Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
    }
    response.writeHead(204).end();
  } else {
    // From the first time on that somebody asks, they are noted.
    const isArrivals = path === '/arrivals';
    isNoting ||= isArrivals;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isArrivals ? Object.fromEntries(arrivals) : countsOf()));
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    serve(request, Buffer.concat(chunks).toString('utf8'), response);
  });
});
server.keepAliveTimeout = 60_000;
server.on('connection', (socket) => {
  if (socket.remoteAddress?.startsWith('127.') !== true) socket.destroy();
});

const silent = new Set<Socket>();
const hole = createTcpServer((socket) => {
  silent.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => silent.delete(socket));
  socket.resume();
});

// On all addresses of this machine's own: each name may have a host of its own (127.0.0.2, …).
server.listen(0, '0.0.0.0', () => {
  hole.listen(0, '127.0.0.1', () => {
    const port = (of: { address(): unknown }): number => (of.address() as AddressInfo).port;
    console.log(`ports: ${String(port(server))} ${String(port(hole))}`);
  });
});
process.on('SIGTERM', () => process.exit(0));
