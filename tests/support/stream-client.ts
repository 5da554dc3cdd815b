import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** One event as it came over the wire. */
export interface Frame {
  readonly event: string;
  readonly lastEventId: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an event may say anything
  readonly data: any;
}

export interface StreamClient {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly frames: readonly Frame[];
  /** Events only: no `ready`, `gap`, `bye`. */
  events(): readonly Frame[];
  /** Ids of the events, in the order in which they came. */
  ids(): readonly string[];
  /** Everything that came. */
  text(): string;
  /** What a client would send when it comes back. */
  lastEventId(): string;
  isOpen(): boolean;
  /** Stops reading from the socket. */
  pause(): void;
  resume(): void;
  close(): void;
}

const OWN = new Set(['ready', 'gap', 'bye']);

/** Opens an event stream the way a bare HTTP client does; closed when the test ends. */
export async function openStream(
  url: string,
  key: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamClient> {
  const { response, sent } = await connect(url, { authorization: `Bearer ${key}`, ...headers });
  const frames: Frame[] = [];
  let all = '';
  let rest = '';
  let lastEventId = '';
  let isOpen = true;
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    all += chunk;
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string | undefined =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      lastEventId = field('id') ?? lastEventId;
      const data = field('data');
      if (data === undefined) continue;
      frames.push({ event: field('event') ?? 'message', lastEventId, data: JSON.parse(data) });
    }
  });
  response.on('error', () => undefined); // it ends below
  response.on('close', () => {
    isOpen = false;
  });
  const close = (): void => {
    sent.destroy();
  };
  onTestFinished(close);
  const events = (): readonly Frame[] => frames.filter(({ event }) => !OWN.has(event));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    frames,
    events,
    ids: () => events().map(({ data }) => String(data.id)),
    text: () => all,
    lastEventId: () => lastEventId,
    isOpen: () => isOpen,
    pause: () => response.socket.pause(),
    resume: () => response.socket.resume(),
    close,
  };
}

/** Opens one and waits until it follows. */
export async function follow(...args: Parameters<typeof openStream>): Promise<StreamClient> {
  const client = await openStream(...args);
  await until(
    () => client.frames.some(({ event }) => event === 'ready'),
    () => `the stream is ready; it said ${client.status} ${client.text()}`,
  );
  return client;
}

async function connect(url: string, headers: Readonly<Record<string, string>>) {
  return new Promise<{ response: IncomingMessage; sent: ClientRequest }>((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, (response) => {
      resolve({ response, sent });
    });
    sent.on('error', reject);
    sent.end();
  });
}
