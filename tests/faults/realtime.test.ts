import { describe, expect, it } from 'vitest';
import { ADMIN_KEY, freshKey } from '../support/api.ts';
import { type ApiProcess, spawnApi } from '../support/api-process.ts';
import { openWorld } from '../support/platform.ts';
import { openSocket, subscribed } from '../support/socket-client.ts';
import { type StreamClient, follow } from '../support/stream-client.ts';
import { until } from '../support/wait.ts';
import { spawnWorker } from '../support/worker-process.ts';

const TRANSFERS = 400;
const CHUNK = 20;
/** Three processes start for each. */
const TIME = { timeout: 90_000 };

async function post(api: ApiProcess, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
      'idempotency-key': freshKey(),
      prefer: 'wait=20',
    },
    body: JSON.stringify(body),
  });
  return response.json();
}

async function openPlatforms(): Promise<readonly [ApiProcess, ApiProcess]> {
  const { database } = await openWorld(); // and with it the schema
  spawnWorker(database, { pools: 'settlement,notification,recovery' });
  const first = await spawnApi(database);
  const second = await spawnApi(database);
  for (const userId of ['ann', 'bob']) {
    const wallets = [{ currency: 'EUR', overdraftLimit: '1000000' }];
    await post(first, '/v1/users', { userId, wallets });
  }
  return [first, second];
}

/** Submits transfers by the bulk endpoint; gives the ids of the events that they have to make. */
async function load(api: ApiProcess, onChunk: (sent: number) => void): Promise<string[]> {
  const ids: string[] = [];
  for (let sent = 0; sent < TRANSFERS; sent += CHUNK) {
    const items = Array.from({ length: CHUNK }, () => ({
      type: 'transfer',
      idempotencyKey: freshKey(),
      input: { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 },
    }));
    const answer = await post(api, '/v1/operations/bulk', items);
    const { results = [] } = answer as { results?: readonly { operation: { id: string } }[] };
    ids.push(...results.map(({ operation: { id } }) => `${id}.e1`));
    onChunk(sent + CHUNK);
  }
  return ids;
}

const stream = (api: ApiProcess): string => `${api.url}/v1/stream?events=transfer.settled`;

async function resumed(api: ApiProcess, before: StreamClient): Promise<StreamClient> {
  await until(() => !before.isOpen(), 'the connection is gone');
  const client = await follow(stream(api), ADMIN_KEY, { 'last-event-id': before.lastEventId() });
  expect(client.frames[0]).toMatchObject({ event: 'ready', data: { resumed: true } });
  return client;
}

describe.each(['SIGKILL', 'SIGTERM'] as const)('with %s of an API process under load', (signal) => {
  it('its clients go on at another one, miss nothing and get nothing twice', TIME, async () => {
    const [first, second] = await openPlatforms();
    const moving = await follow(stream(first), ADMIN_KEY);
    const staying = await follow(stream(second), ADMIN_KEY);
    const socket = await subscribed(openSocket(first.url, ADMIN_KEY), { events: 'transfer.*' });
    Reflect.set(socket.socket.io, 'uri', second.url); // where a balancer would send it next
    socket.socket.on('connect', () => socket.socket.emit('subscribe', { events: 'transfer.*' }));
    const wanted = await load(second, (sent) => {
      if (sent === TRANSFERS / 2) first.kill(signal);
    });
    expect(wanted).toHaveLength(TRANSFERS);
    const back = await resumed(second, moving);
    const moved = (): readonly string[] => [...moving.ids(), ...back.ids()];
    await until(() => staying.ids().length >= TRANSFERS, 'the one that stays has all', 30_000);
    await until(() => moved().length >= TRANSFERS, 'the one that moves has all');
    await until(
      () => socket.ids.length >= TRANSFERS,
      () => `${socket.ids.length} at the socket`,
    );
    expect(new Set(staying.ids())).toEqual(new Set(wanted));
    expect(moved(), 'the stream that moved').toEqual(staying.ids());
    expect(socket.ids, 'the socket that moved').toEqual(staying.ids());
    expect(moving.ids().length).toBeGreaterThan(0);
    expect(back.ids().length).toBeGreaterThan(0);
    expect(socket.gaps).toEqual([]);
    if (signal === 'SIGTERM') {
      expect(moving.frames.at(-1)).toMatchObject({ event: 'bye', data: { reason: 'shutdown' } });
      expect(await first.ended).toBe(0);
      expect(socket.byes).toEqual([{ reason: 'shutdown' }]);
      expect(socket.socket.recovered).toBe(true);
    }
  });
});
