import { type ManagerOptions, type Socket, type SocketOptions, io } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { EventView } from '../../api/realtime/viewer.ts';

export interface SocketClient {
  readonly socket: Socket;
  /** Ids of the events, in the order in which they came. */
  readonly ids: string[];
  readonly gaps: unknown[];
  readonly byes: unknown[];
  /** Positions of the last events. */
  position(): string | undefined;
}

/** A stock Socket.IO client; closed when the test ends. */
export function openSocket(
  url: string,
  token: string | undefined,
  options: Partial<ManagerOptions & SocketOptions> = {},
): SocketClient {
  const socket = io(url, {
    path: '/realtime',
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    auth: { token },
    ...options,
  });
  onTestFinished(() => {
    socket.disconnect();
  });
  const client = {
    ids: new Array<string>(),
    gaps: new Array<unknown>(),
    byes: new Array<unknown>(),
  };
  let position: string | undefined;
  socket.on('events', (events: readonly EventView[], at: string) => {
    client.ids.push(...events.map(({ id }) => id));
    position = at;
  });
  socket.on('gap', (gap: unknown) => client.gaps.push(gap));
  socket.on('bye', (bye: unknown) => client.byes.push(bye));
  return { ...client, socket, position: () => position };
}

/** Connects and subscribes. */
export async function subscribed(
  client: SocketClient,
  filter: Readonly<Record<string, unknown>> = {},
): Promise<SocketClient> {
  const { socket } = client;
  const ready = new Promise((resolve) => socket.once('ready', resolve));
  const answer: unknown = await socket.timeout(10_000).emitWithAck('subscribe', filter);
  if (JSON.stringify(answer).startsWith('{"ok":false')) throw new Error(JSON.stringify(answer));
  await ready;
  return client;
}
