import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../../core/outbound/http-client.ts';
import type { Provider, PushMessage } from '../../../core/notifications/ports.ts';
import { createFcmProvider } from '../../../core/notifications/providers/fcm.ts';
import type { ServiceAccountKey } from '../../../core/notifications/providers/google-token.ts';
import { createWebPushProvider } from '../../../core/notifications/providers/webpush.ts';
import { type Receiver, startReceiver } from '../../../scripts/dev/stand-ins/receiver.ts';
import { newVapidKeys } from '../../../scripts/dev/stand-ins/web-push.ts';
import { loopbackGuard, tools } from '../../support/sending.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterEach(() => {
  receiver.clear();
});
afterAll(async () => {
  await receiver.close();
});

const PUSH = { title: 'Grüße', body: '12,50 € für dich', data: { transferId: 'trf_1' } };

describe('push by FCM', () => {
  let nowMs = Date.now();
  const now = () => nowMs;
  let fcm: Provider<'push'>;
  beforeAll(() => {
    const account = JSON.parse(receiver.fcm.serviceAccount(receiver.url)) as ServiceAccountKey;
    const http = createHttpClient({ keepAlive: true });
    fcm = createFcmProvider({ url: receiver.url, account, http });
  });
  afterEach(() => {
    nowMs = Date.now();
  });
  const to = (token: string): PushMessage => ({ target: { kind: 'fcm', token }, ...PUSH });

  it('arrives, vouched for by a token that Google would give out', async () => {
    const outcome = await fcm.send(to('device-1'), tools(5_000, 'dlv_1', now));
    expect(outcome).toMatchObject({ kind: 'sent', status: 200 });
    expect(outcome).toHaveProperty('reference', expect.stringContaining('/messages/'));
    const { title, body, data } = PUSH;
    expect(receiver.received('fcm')).toMatchObject([
      { content: { token: 'device-1', notification: { title, body }, data } },
    ]);
    expect(receiver.received('fcm')[0]?.content).toMatchObject({
      android: { notification: { tag: 'dlv_1' } },
      apns: { headers: { 'apns-collapse-id': 'dlv_1' } },
    });
  });

  it('asks for a token once for many, and again when it runs out', async () => {
    receiver.fcm.revoke();
    await fcm.send(to('device-1'), tools(10_000, 'dlv_test', now)); // drops the old one
    receiver.clear();
    nowMs += 3_600_000 - 60_000;
    await Promise.all(
      Array.from({ length: 20 }, async () =>
        fcm.send(to('device-1'), tools(10_000, 'dlv_test', now)),
      ),
    );
    expect(receiver.received('token')).toHaveLength(1);
    expect(receiver.received('fcm')).toHaveLength(20);
  });

  it('gets a new token when the one it kept is taken back', async () => {
    await fcm.send(to('device-1'), tools(10_000, 'dlv_test', now));
    receiver.clear();
    receiver.fcm.revoke();
    expect(await fcm.send(to('device-1'), tools(10_000, 'dlv_test', now))).toMatchObject({
      kind: 'sent',
    });
    expect(receiver.received('fcm').map(({ status }) => status)).toEqual([401, 200]);
    expect(receiver.received('token')).toHaveLength(1);
  });

  it('forgets a device that is gone', async () => {
    const outcome = await fcm.send(to('unregistered-1'), tools(10_000, 'dlv_test', now));
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'UNREGISTERED', isGone: true });
  });

  it('is not told that a device is gone by one of another project', async () => {
    const outcome = await fcm.send(to('mismatched-1'), tools());
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'SENDER_ID_MISMATCH' });
    expect(outcome).not.toHaveProperty('isGone'); // else the device would be suppressed for good
  });

  it.each([
    [
      { kind: 'throttle', retryAfter: '9' },
      { kind: 'throttled', retryAfterMs: 9_000 },
    ],
    [
      { kind: 'status', status: 503, retryAfter: '9' },
      { kind: 'fault', retryAfterMs: 9_000 },
    ],
    [
      { kind: 'status', status: 500 },
      { kind: 'fault', mayHaveSent: true },
    ],
    [{ kind: 'status', status: 400 }, { kind: 'permanent' }],
    [
      { kind: 'status', status: 403 },
      { kind: 'fault', mayHaveSent: false },
    ],
    [{ kind: 'hang' }, { kind: 'fault', mayHaveSent: true }],
    [
      { kind: 'close', times: 2 },
      { kind: 'fault', mayHaveSent: true },
    ],
  ] as const)('is answered with %j', async (fault, expected) => {
    await fcm.send(to('device-1'), tools(10_000, 'dlv_test', now)); // so that a token is there
    receiver.inject({ on: 'fcm', ...fault });
    expect(await fcm.send(to('device-1'), tools(500, 'dlv_test', now))).toMatchObject(expected);
  });

  it.each([
    [
      { kind: 'status', status: 500 },
      { kind: 'fault', code: 'auth_failed' },
    ],
    [{ kind: 'huge' }, { kind: 'fault', code: 'auth_failed' }],
    [{ kind: 'hang' }, { kind: 'fault', code: 'timeout' }],
  ] as const)('sends nothing without a token: %j', async (fault, expected) => {
    receiver.fcm.revoke();
    nowMs += 7_200_000; // the one we have is too old, too
    receiver.inject({ on: 'token', ...fault });
    const outcome = await fcm.send(to('device-1'), tools(500, 'dlv_test', now));
    expect(outcome).toMatchObject({ ...expected, mayHaveSent: false });
    expect(receiver.received('fcm')).toEqual([]);
  });

  it('asks again when a request for a token was hopeless', async () => {
    receiver.fcm.revoke();
    nowMs += 7_200_000;
    receiver.inject({ on: 'token', kind: 'hang' });
    const [impatient, patient] = await Promise.all([
      fcm.send(to('device-1'), tools(300)),
      fcm.send(to('device-1'), tools(15_000)),
    ]);
    expect(impatient).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: false });
    expect(patient).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: false });
    receiver.clear(); // an earlier request may have been joined, and the fault be left
    expect(await fcm.send(to('device-1'), tools(10_000, 'dlv_test', now))).toMatchObject({
      kind: 'sent',
    });
  });

  it('takes devices only', () => {
    const keys = { p256dh: '', auth: '' };
    expect(fcm.accepts(to('device-1'))).toBe(true);
    const browser = { kind: 'webpush', endpoint: 'https://push.test/1', keys } as const;
    expect(fcm.accepts({ ...PUSH, target: browser })).toBe(false);
  });
});

describe('push to a browser', () => {
  const vapid = newVapidKeys();
  const webpush = createWebPushProvider({
    ...vapid,
    subject: 'mailto:ops@sluice.test',
    http: createHttpClient({ keepAlive: true }),
    guard: loopbackGuard,
  });
  const to = (subscription: ReturnType<Receiver['subscribe']>): PushMessage => ({
    target: { kind: 'webpush', ...subscription },
    ...PUSH,
  });

  it('arrives and is decrypted by http_ece', async () => {
    const outcome = await webpush.send(to(receiver.subscribe()), tools(5_000, 'dlv_1'));
    expect(outcome).toEqual({ kind: 'sent', status: 201 });
    const [got] = receiver.received('webpush');
    expect(got?.content).toEqual({ id: 'dlv_1', ...PUSH });
    expect(got?.body).not.toContain('Gr');
    expect(got?.headers).toMatchObject({ ttl: '86400', 'content-encoding': 'aes128gcm' });
  });

  it('has one topic for all attempts, which a service can take', async () => {
    const message = to(receiver.subscribe());
    await webpush.send(message, tools(5_000, 'dlv_1'));
    await webpush.send(message, tools(5_000, 'dlv_1'));
    await webpush.send(message, tools(5_000, 'dlv_2'));
    const topics = receiver.received('webpush').map(({ headers }) => headers['topic']);
    expect(topics[0]).toMatch(/^[\w-]{1,32}$/);
    expect(topics[1]).toBe(topics[0]);
    expect(topics[2]).not.toBe(topics[0]);
  });

  it('forgets a browser that took the permission back', async () => {
    const subscription = receiver.subscribe();
    receiver.unsubscribe(subscription.endpoint);
    const outcome = await webpush.send(to(subscription), tools());
    expect(outcome).toMatchObject({ kind: 'permanent', isGone: true, status: 410 });
  });

  it.each([
    [
      { kind: 'status', status: 404 },
      { kind: 'permanent', isGone: true },
    ],
    [
      { kind: 'status', status: 413 },
      { kind: 'permanent', code: 'http_413' },
    ],
    [
      { kind: 'throttle', retryAfter: '60' },
      { kind: 'throttled', retryAfterMs: 60_000 },
    ],
    [{ kind: 'status', status: 502 }, { kind: 'fault' }],
    [{ kind: 'redirect' }, { kind: 'transient', code: 'http_302' }],
    [{ kind: 'hang' }, { kind: 'fault', code: 'timeout', mayHaveSent: true }],
  ] as const)('is answered with %j', async (fault, expected) => {
    receiver.inject({ on: 'webpush', ...fault });
    expect(await webpush.send(to(receiver.subscribe()), tools(500))).toMatchObject(expected);
  });

  it.each([
    ['a short key', { p256dh: 'BAAA' }],
    ['no point of the curve', { p256dh: Buffer.alloc(65, 4).toString('base64url') }],
    ['a short secret', { auth: 'AAAA' }],
  ])('is not sent under %s', async (_what, keys) => {
    const subscription = receiver.subscribe();
    const broken = { ...subscription, keys: { ...subscription.keys, ...keys } };
    const outcome = await webpush.send(to(broken), tools());
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'bad_subscription' });
    expect(outcome).not.toHaveProperty('isGone'); // sent right, the same subscription is good
  });

  it('is not sent when it is too long, and is at the limit', async () => {
    const message = to(receiver.subscribe());
    const room = 3_993 - Buffer.byteLength(JSON.stringify({ id: 'dlv_1', ...PUSH, body: '' }));
    const sendBody = async (body: string) =>
      webpush.send({ ...message, body }, tools(5_000, 'dlv_1'));
    expect(await sendBody('x'.repeat(room))).toMatchObject({ kind: 'sent' });
    expect(await sendBody('x'.repeat(room + 1))).toMatchObject({
      ...{ kind: 'permanent', code: 'too_long' },
    });
  });

  it('goes to no address inside', async () => {
    const { keys } = receiver.subscribe();
    const endpoint = 'https://169.254.169.254/push/1';
    const outcome = await webpush.send(to({ endpoint, keys }), tools());
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'url_address' });
  });

  it('needs a pair of keys', () => {
    const other = newVapidKeys();
    expect(() =>
      createWebPushProvider({
        ...{ publicKey: other.publicKey, privateKey: vapid.privateKey, subject: 'mailto:a@b.c' },
        ...{ http: createHttpClient({ keepAlive: false }), guard: loopbackGuard },
      }),
    ).toThrow(/VAPID/);
  });
});
