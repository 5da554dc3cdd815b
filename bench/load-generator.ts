import { type Socket, connect } from 'node:net';
import { z } from 'zod';
import { READS, type Reads, readPaths } from './lib/reads.ts';
import { median } from './lib/stats.ts';
import { transferInputs } from './lib/transfers.ts';

/**
 * Offers requests at full speed over keep-alive connections, one at a time on each, and says how
 * they were answered. A process of its own, so that it slows the server down only by the CPU that
 * it uses; written on bare sockets, so that this is little, and all requests are made before the
 * clock starts. The parent talks to it by messages; it ends when the parent does.
 */
const openMessage = z.strictObject({
  port: z.int().positive(),
  connections: z.int().positive(),
  apiKey: z.string(),
});
const runMessage = z.strictObject({
  count: z.int().positive(),
  wallets: z.int().positive(),
  seed: z.int(),
  /** Prefix of the idempotency keys. */
  label: z.string(),
});

const readMessage = z.strictObject({
  what: z.enum(READS),
  query: z.string(),
  count: z.int().positive(),
  wallets: z.int().positive(),
  seed: z.int(),
});

type Target = z.infer<typeof openMessage>;
type Run = z.infer<typeof runMessage>;

const HOST = '127.0.0.1';
const HEAD_END = Buffer.from('\r\n\r\n');

interface Connection {
  /** Sends a request; `onAnswer` gets the status of the answer once all of it is here. */
  ask(request: Buffer, onAnswer: (status: number) => void): void;
}

/** The status of a whole answer at the start of the bytes, or undefined while some is missing. */
function statusOf(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`no Content-Length in: ${head}`);
  if (bytes.length < headEnd + HEAD_END.length + Number(length)) return undefined;
  return Number(head.slice(9, 12)); // `HTTP/1.1 202 …`
}

async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: HOST, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  let received = Buffer.alloc(0);
  let answer: ((status: number) => void) | undefined;
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const status = statusOf(received);
    if (status === undefined) return;
    received = Buffer.alloc(0);
    const done = answer;
    answer = undefined;
    done?.(status);
  });
  socket.on('close', () => {
    if (answer !== undefined) throw new Error('The server closed a connection with work on it');
  });
  return {
    ask: (request, onAnswer) => {
      answer = onAnswer;
      socket.write(request);
    },
  };
}

function requestsOf({ port, apiKey }: Target, { count, wallets, seed, label }: Run): Buffer[] {
  return transferInputs(count, { wallets, shape: 'uniform', seed }).map((input, index) => {
    const body = JSON.stringify({ type: 'transfer', input });
    const head = [
      'POST /v1/operations HTTP/1.1',
      `Host: ${HOST}:${port}`,
      `Authorization: Bearer ${apiKey}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Idempotency-Key: ${label}-${index}`,
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

function readsOf({ port, apiKey }: Target, reads: Reads): Buffer[] {
  return readPaths(reads).map((path) => {
    const head = [
      `GET ${path} HTTP/1.1`,
      `Host: ${HOST}:${port}`,
      `Authorization: Bearer ${apiKey}`,
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
  });
}

async function offer(by: readonly Connection[], what: readonly Buffer[]) {
  const statuses = new Map<number, number>();
  const latencies: number[] = [];
  let sent = 0;
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    const next = (connection: Connection): void => {
      const request = what[sent];
      if (request === undefined) return;
      sent += 1;
      const askedMs = performance.now();
      connection.ask(request, (status) => {
        latencies.push(performance.now() - askedMs);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (latencies.length === what.length) resolve();
        else next(connection);
      });
    };
    for (const connection of by) next(connection);
  });
  const elapsedMs = performance.now() - startedMs;
  const sorted = latencies.sort((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  return { elapsedMs, statuses: Object.fromEntries(statuses), p50Ms: median(sorted), p99Ms: p99 };
}

let target: Target | undefined;
let connections: readonly Connection[] = [];
let requests: readonly Buffer[] = [];

/** First where to, then, as often as wanted: what, and `go`. */
async function obey(message: unknown): Promise<unknown> {
  if (message === 'go') return offer(connections, requests);
  if (target === undefined) {
    target = openMessage.parse(message);
    const { port, connections: count } = target;
    connections = await Promise.all(Array.from({ length: count }, () => openConnection(port)));
    return 'open';
  }
  const run = z.union([runMessage, readMessage]).parse(message);
  requests = 'what' in run ? readsOf(target, run) : requestsOf(target, run);
  return 'ready';
}

process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  obey(message).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      console.error(String(error));
      process.exit(1);
    },
  );
});
