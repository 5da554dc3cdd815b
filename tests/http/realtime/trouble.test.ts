import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { ADMIN_KEY, type ApiUnderTest, openApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { openEmitter } from '../../support/emit.ts';
import { startOwnRedis } from '../../support/redis-server.ts';
import { follow } from '../../support/stream-client.ts';
import { until } from '../../support/wait.ts';

async function open() {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  const api = await openApi(nameOfTest(), { env: { REDIS_PUB_URL: redis.url } });
  onTestFinished(() => api.close());
  const prefix = api.platform.env.QUEUE_PREFIX;
  const emitter = openEmitter({ redisUrl: redis.url, prefix });
  const stream = `${api.url}/v1/stream`;
  return { api, redis, prefix, stream, ...emitter };
}

async function metric(api: ApiUnderTest, name: string): Promise<number> {
  const { text } = await api.ask('/metrics', { key: null });
  const line = text.split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('an event whose row is delivered twice', () => {
  it('is there once', async () => {
    const { stream, emit, repeat } = await open();
    const client = await follow(stream, ADMIN_KEY);
    const ids = [...(await emit(3))];
    await repeat();
    ids.push(...(await emit(1)));
    await until(() => client.ids().length >= 4, 'the events are here');
    expect(client.ids()).toEqual(ids);
    const late = await follow(`${stream}?lastEventId=0-0`, ADMIN_KEY);
    await until(() => late.ids().length >= 4, 'the events are here');
    expect(late.ids()).toEqual(ids);
  });

  it('is there once even when Redis has forgotten that it has the row', async () => {
    const { stream, prefix, redis, emit, repeat } = await open();
    const client = await follow(stream, ADMIN_KEY);
    const ids = [...(await emit(3))];
    const marks = await redis.client.keys(`${prefix}-stream-row:*`);
    await redis.client.del(...marks);
    const late = await follow(`${stream}?lastEventId=0-0`, ADMIN_KEY);
    await until(() => late.ids().length >= 3, 'the events are here');
    await repeat();
    ids.push(...(await emit(1)));
    for (const one of [client, late]) {
      await until(() => one.ids().length >= 4, 'the events are here');
      expect(one.ids()).toEqual(ids);
    }
  });
});

describe('clients that come back while much happens', () => {
  it('miss nothing, get nothing twice and keep the order', async () => {
    const { stream, emit } = await open();
    const wanted: string[] = [];
    const got: string[] = [];
    let client = await follow(stream, ADMIN_KEY);
    let isDone = false;
    const emitting = (async () => {
      for (let row = 0; row < 60; row += 1) wanted.push(...(await emit(60)));
      isDone = true;
    })();
    while (!isDone || got.length < wanted.length) {
      const goal = Math.min(got.length + 450, 3_600);
      await until(
        () => got.length + client.ids().length >= goal,
        () => `there are ${goal} events`,
      );
      client.close();
      await until(() => !client.isOpen(), 'it is closed');
      got.push(...client.ids());
      const headers = { 'last-event-id': client.lastEventId() };
      client = await follow(stream, ADMIN_KEY, headers);
      expect(client.frames[0]).toMatchObject({ data: { resumed: true } });
    }
    await emitting;
    expect(got).toEqual(wanted);
  });
});

describe('when Redis is away for a while', () => {
  it('clients stay, and miss nothing of what is still there', async () => {
    const { stream, redis, emit } = await open();
    const client = await follow(stream, ADMIN_KEY);
    await emit(2);
    await until(() => client.ids().length === 2, 'the first events are here');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const ids = await emit(2);
    await until(() => client.ids().length === 4, 'the next events are here');
    expect(client.ids().slice(2)).toEqual(ids);
    expect(client.frames.some(({ event }) => event === 'gap')).toBe(false);
  });

  it('and comes back empty, they are told, and go on', async () => {
    const { api, stream, redis, emit } = await open();
    const client = await follow(stream, ADMIN_KEY);
    const kept = await follow(stream, ADMIN_KEY);
    await emit(2);
    await until(() => client.ids().length === 2, 'the first events are here');
    client.close();
    await redis.stop();
    const waiting = follow(`${stream}?lastEventId=${client.lastEventId()}`, ADMIN_KEY);
    await redis.start();
    await until(() => kept.frames.at(-1)?.event === 'gap', 'they are told');
    const ids = await emit(2);
    const back = await waiting;
    for (const one of [kept, back]) {
      await until(() => one.ids().includes(ids[1] ?? ''), 'the next events are here');
      expect(one.ids().slice(-2)).toEqual(ids);
      expect(one.frames.filter(({ event }) => event === 'gap')).toHaveLength(1);
    }
    expect(await metric(api, 'sluice_realtime_gaps_total')).toBe(2);
  });

  it('and is emptied without a break, they are told with the next heartbeat', async () => {
    const { stream, redis } = await open();
    const client = await follow(stream, ADMIN_KEY);
    await redis.client.flushall();
    const heard = () => client.frames.some(({ event }) => event === 'gap');
    await until(heard, 'they are told', LIMITS.streamHeartbeatMs + 10_000);
    expect(client.text()).toMatch(/: heartbeat\nid: \d+-\d+\n\n/);
  });
});

describe('a client that does not read', () => {
  it('is closed, and the others get everything', async () => {
    const { api, stream, emit } = await open();
    const slow = await follow(stream, ADMIN_KEY);
    const other = await follow(stream, ADMIN_KEY);
    slow.pause();
    const wanted: string[] = [];
    const data = { note: 'x'.repeat(4_000) };
    const dropped = 'sluice_realtime_closed_total{transport="sse",reason="slow"}';
    while ((await metric(api, dropped)) === 0) {
      wanted.push(...(await emit(200, data)));
      await until(() => other.ids().length === wanted.length, 'the other has all events');
      expect(wanted.length).toBeLessThan(9_000);
    }
    slow.resume();
    await until(() => !slow.isOpen(), 'the slow one is closed');
    expect(other.ids()).toEqual(wanted);
    // It has got the beginning, whole, and goes on from there.
    const headers = { 'last-event-id': slow.lastEventId() };
    const back = await follow(stream, ADMIN_KEY, headers);
    const all = (): readonly string[] => [...slow.ids(), ...back.ids()];
    await until(() => all().length >= wanted.length, 'it has all events');
    expect(all()).toEqual(wanted);
  });
});

describe('a process that is told to stop', () => {
  it('sends its clients elsewhere and ends soon', async () => {
    const { api, stream } = await open();
    const clients = await Promise.all([1, 2, 3].map(() => follow(stream, ADMIN_KEY)));
    const startedMs = performance.now();
    await api.close();
    expect(performance.now() - startedMs).toBeLessThan(6_000);
    for (const client of clients) {
      expect(client.frames.at(-1)).toMatchObject({ event: 'bye', data: { reason: 'shutdown' } });
      await until(() => !client.isOpen(), 'it is closed');
    }
  });
});
