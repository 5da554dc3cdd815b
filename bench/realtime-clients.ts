import { request } from 'node:http';
import { io } from 'socket.io-client';
import { z } from 'zod';

/**
 * Event streams and sockets of one API process, held open in a process of their own. Every event
 * that comes says when it was emitted; once every client has got one, the parent is told how long
 * each of them waited.
 */
const openMessage = z.strictObject({
  port: z.int().positive(),
  streams: z.int().min(0),
  sockets: z.int().min(0),
  apiKey: z.string(),
});
type Target = z.infer<typeof openMessage>;

const AT = /"at":"(\d+\.?\d*)"/g;
const OPENING_AT_ONCE = 50;

let wanted = 0;
let delays: number[] = [];

const nowMs = (): number => performance.timeOrigin + performance.now();

function received(emittedAt: string): void {
  delays.push(nowMs() - Number(emittedAt));
  if (delays.length < wanted) return;
  process.send?.({ delays });
  delays = [];
}

async function openStream({ port, apiKey }: Target): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const options = { host: '127.0.0.1', port, path: '/v1/stream', headers, agent: false };
  await new Promise<void>((resolve, reject) => {
    const sent = request(options, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          if (block.includes('event: ready')) resolve();
          for (const [, at = ''] of block.matchAll(AT)) received(at);
        }
      });
      response.on('close', () => {
        throw new Error('a stream was closed');
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

interface Received {
  readonly data: { readonly at?: string };
}

async function openSocket({ port, apiKey }: Target): Promise<void> {
  const options = { path: '/realtime', transports: ['websocket'], forceNew: true };
  const socket = io(`http://127.0.0.1:${port}`, { ...options, auth: { token: apiKey } });
  socket.on('events', (events: readonly Received[]) => {
    for (const { data } of events) if (data.at !== undefined) received(data.at);
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('connect_error', reject);
    socket.on('ready', () => {
      resolve();
    });
    socket.emit('subscribe', {});
  });
}

async function openAll(count: number, open: () => Promise<void>): Promise<void> {
  for (let opened = 0; opened < count; opened += OPENING_AT_ONCE) {
    const some = Math.min(OPENING_AT_ONCE, count - opened);
    await Promise.all(Array.from({ length: some }, open));
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  const target = openMessage.parse(message);
  wanted = target.streams + target.sockets;
  openAll(target.streams, () => openStream(target))
    .then(() => openAll(target.sockets, () => openSocket(target)))
    .then(
      () => process.send?.('open'),
      (error: unknown) => {
        console.error(String(error));
        process.exit(1);
      },
    );
});
