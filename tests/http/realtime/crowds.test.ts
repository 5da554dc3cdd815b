import { describe, expect, it, onTestFinished } from 'vitest';
import { createSeats } from '../../../api/realtime/seats.ts';
import { LIMITS } from '../../../config/limits.ts';
import { expectProblem, openApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { openSocket } from '../../support/socket-client.ts';
import { follow } from '../../support/stream-client.ts';
import { until } from '../../support/wait.ts';

const SEATS = { all: 100, key: 2, tenant: 3, address: 100 };

async function open() {
  const api = await openApi(nameOfTest(), { tuning: { seats: createSeats(SEATS) } });
  onTestFinished(() => api.close());
  const newKey = () => api.newKey({ scopes: ['ledger:read'] });
  return { api, newKey, stream: `${api.url}/v1/stream` };
}

describe('one key that opens as many streams and sockets as it can', () => {
  it('leaves room for others, and gets its own back when it closes them', async () => {
    const { api, newKey, stream } = await open();
    const [greedy, modest] = [await newKey(), await newKey()];
    const first = await follow(stream, greedy);
    const { socket } = openSocket(api.url, greedy);
    await until(() => socket.connected, 'the socket is connected');
    expectProblem(await api.ask('/v1/stream', { key: greedy }), 429, 'rate_limited');
    const refused = openSocket(api.url, greedy, { reconnection: false });
    const error = await new Promise((resolve) => refused.socket.once('connect_error', resolve));
    expect(error).toMatchObject({ data: { code: 'rate_limited' } });
    const other = await follow(stream, modest);
    expect(other.status).toBe(200);
    expectProblem(await api.ask('/v1/stream', { key: modest }), 429, 'rate_limited'); // its tenant
    first.close();
    await until(async () => {
      const back = await follow(stream, greedy).catch(() => undefined);
      return back?.status === 200;
    }, 'the seat of the stream is free');
    socket.disconnect();
    const again = openSocket(api.url, modest, { reconnectionDelayMax: 100 });
    again.socket.on('connect_error', () => again.socket.connect());
    await until(() => again.socket.connected, 'the seat of the socket is free');
  });
});

describe('connections at /realtime that never show a key', () => {
  it('end, the oldest first, while whoever has a key gets in', async () => {
    const { api, newKey } = await open();
    const polling = '/realtime/?EIO=4&transport=polling';
    const handshake = async (): Promise<string> => {
      const { text } = await api.ask(polling, { key: null });
      return String(/"sid":"([^"]+)"/.exec(text)?.[1]);
    };
    const oldest = await handshake();
    for (let count = 0; count < LIMITS.strangersAddressMax; count += 50) {
      await Promise.all(Array.from({ length: 50 }, handshake));
    }
    const poll = await api.ask(`${polling}&sid=${oldest}`, { key: null });
    expectProblem(poll, 400, 'invalid_request');
    const { socket } = openSocket(api.url, await newKey());
    await until(() => socket.connected, 'the socket is connected');
    for (let count = 0; count < LIMITS.strangersAddressMax; count += 50) {
      await Promise.all(Array.from({ length: 50 }, handshake));
    }
    expect(socket.connected).toBe(true);
  });
});
