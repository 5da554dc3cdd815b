import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openApi, useApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { openEmitter } from '../../support/emit.ts';
import { openSocket, subscribed } from '../../support/socket-client.ts';
import { until } from '../../support/wait.ts';

const api = useApi();
let reader = '';
const emitter = (tenantId = 'default') => {
  const { REDIS_URL: redisUrl, QUEUE_PREFIX: prefix } = api.platform.env;
  return openEmitter({ redisUrl, prefix, tenantId });
};

beforeAll(async () => {
  reader = await api.newKey({ scopes: ['ledger:read'] });
  await api.newTenant('other');
});

describe('Socket.IO at /realtime', () => {
  it('gives each subscription what it wants, once', async () => {
    const all = await subscribed(openSocket(api.url, reader));
    const anns = await subscribed(openSocket(api.url, reader), { userId: 'ann' });
    const holds = await subscribed(openSocket(api.url, reader), { events: ['hold.*'] });
    const silent = openSocket(api.url, reader);
    const other = await api.newKey({ tenantId: 'other', scopes: ['ledger:read'] });
    const others = await subscribed(openSocket(api.url, other), { lastEventId: '0-0' });
    const { emit } = emitter();
    const bobs = await emit(2, { userId: 'bob' });
    const hers = await emit(2, { fromUserId: 'bob', toUserId: 'ann' });
    await until(() => all.ids.length >= 4 && anns.ids.length >= 2, 'the events are here');
    expect(all.ids).toEqual([...bobs, ...hers]);
    expect(anns.ids).toEqual(hers);
    for (const one of [holds, silent, others]) expect(one.ids).toEqual([]);
  });

  it('goes on where it was when a subscription is replaced', async () => {
    const client = await subscribed(openSocket(api.url, reader), { userId: 'ann' });
    const { emit } = emitter();
    const first = await emit(1, { userId: 'ann' });
    await until(() => client.ids.length === 1, 'the event is here');
    await subscribed(client);
    const more = await emit(2, { userId: 'bob' });
    await until(() => client.ids.length >= 3, 'the next events are here');
    expect(client.ids).toEqual([...first, ...more]);
    await client.socket.emitWithAck('unsubscribe');
    await emit(1);
    const again = await subscribed(openSocket(api.url, reader), { lastEventId: client.position() });
    await until(() => again.ids.length === 1, 'another one has got it');
    expect(client.ids).toHaveLength(3);
  });

  it.each([
    ['no key', undefined, 'unauthenticated'],
    ['a wrong key', `slk_nobody_${'x'.repeat(20)}`, 'unauthenticated'],
  ])('is closed to %s', async (_name, token, code) => {
    const { socket } = openSocket(api.url, token);
    const error = await new Promise((resolve) => socket.once('connect_error', resolve));
    expect(error).toMatchObject({ data: { code, detail: expect.any(String) } });
  });

  it('is closed to a key without ledger:read', async () => {
    const { socket } = openSocket(api.url, await api.newKey({ scopes: ['operations:write'] }));
    const error = await new Promise((resolve) => socket.once('connect_error', resolve));
    expect(error).toMatchObject({ data: { code: 'forbidden' } });
  });

  it('says what is wrong with a subscription, and closes on what is too large', async () => {
    const { socket } = openSocket(api.url, reader);
    for (const message of [null, { events: ['Nope'] }, { userId: 7 }, { x: 1 }]) {
      expect(await socket.emitWithAck('subscribe', message)).toMatchObject({
        ok: false,
        error: { code: 'invalid_request' },
      });
    }
    const gone = new Promise((resolve) => socket.once('disconnect', resolve));
    socket.emit('subscribe', { userId: 'x'.repeat(20_000) });
    expect(await gone).toBe('transport close');
  });
});

describe('a socket that loses its connection', () => {
  it('is recovered by another process, and gets what it missed once', async () => {
    const second = await openApi(`${nameOfTest()}-b`, {
      env: { QUEUE_PREFIX: api.platform.env.QUEUE_PREFIX, MONGO_DB: api.platform.env.MONGO_DB },
    });
    onTestFinished(() => second.close());
    const client = await subscribed(openSocket(api.url, reader), { userId: 'ann' });
    const { emit } = emitter();
    const ids = [...(await emit(3, { userId: 'ann' }))];
    await until(() => client.ids.length === 3, 'the first events are here');
    // The same client, as if a balancer had sent it elsewhere.
    const { manager } = { manager: client.socket.io };
    Reflect.set(manager, 'uri', second.url);
    const lost = new Promise((resolve) => client.socket.once('disconnect', resolve));
    const back = new Promise((resolve) => client.socket.once('connect', () => resolve(true)));
    manager.engine.close();
    await lost;
    ids.push(...(await emit(3, { userId: 'ann' })));
    await back;
    expect(client.socket.recovered).toBe(true);
    const { text } = await second.ask('/metrics', { key: null });
    expect(text).toContain('sluice_realtime_clients{transport="socket"} 1');
    ids.push(...(await emit(1, { userId: 'ann' })));
    await until(() => client.ids.length >= 7, 'all events are here');
    expect(client.ids).toEqual(ids);
    expect(client.gaps).toEqual([]);
  });

  it('whose session is forgotten goes on by its offset when it subscribes again', async () => {
    const client = openSocket(api.url, reader);
    client.socket.on('connect', () => client.socket.emit('subscribe', {}));
    await new Promise((resolve) => client.socket.once('ready', resolve));
    const { emit } = emitter();
    const ids = [...(await emit(2))];
    await until(() => client.ids.length === 2, 'the first events are here');
    Reflect.set(client.socket, '_pid', 'another');
    client.socket.io.engine.close();
    ids.push(...(await emit(2)));
    await until(() => client.ids.length >= 4, 'all events are here');
    expect(client.socket.recovered).toBe(false);
    expect(client.ids).toEqual(ids);
  });
});

describe('a key that is revoked', () => {
  it('loses its sockets, in every process', async () => {
    const key = await api.newKey({ scopes: ['ledger:read'] });
    const client = await subscribed(openSocket(api.url, key));
    const idle = openSocket(api.url, key);
    const reasons: unknown[] = [];
    for (const { socket } of [client, idle]) socket.on('disconnect', (why) => reasons.push(why));
    await until(() => idle.socket.connected, 'it is connected');
    await api.ask(`/v1/keys/${key.split('_')[1] ?? ''}`, { method: 'DELETE' });
    await until(() => reasons.length === 2, 'both are closed', 14_000);
    expect(reasons).toEqual(['io server disconnect', 'io server disconnect']);
  });
});
