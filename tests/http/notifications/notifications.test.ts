import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvGuard, createProviders } from '../../../core/notifications/providers/registry.ts';
import { openQueues } from '../../../queues/producer.ts';
import { type StandIns, startStandIns } from '../../../scripts/dev/stand-ins/start.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { type Answer, expectProblem, pointersOf, useApi } from '../../support/api.ts';
import { hastyPolicies } from '../../support/hasty-policies.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true, env: { WEBHOOK_ALLOW_PRIVATE: 'loopback' } });
let standIns: StandIns;

beforeAll(async () => {
  standIns = await startStandIns();
  const { platform } = api;
  const { lifecycle } = platform;
  const env = { ...platform.env, SMTP_URL: standIns.mail.url };
  const queues = openQueues(platform);
  lifecycle.onClose('notification queues', () => queues.close());
  startNotifications({
    platform,
    publisher: queues.publisher,
    providers: createProviders({ env, guard: createEnvGuard(env) }),
    tuning: { policies: hastyPolicies() },
  });
  const wallets = [{ currency: 'EUR' }];
  const contacts = { email: 'bob@example.test' };
  await succeed(api, '/v1/users', { userId: 'ann', wallets });
  await succeed(api, '/v1/users', { userId: 'bob', wallets, contacts });
  await succeed(api, '/v1/credits', { userId: 'ann', currency: 'EUR', amount: 10_000 });
});

afterAll(() => standIns.close());

let names = 0;

/** An endpoint of the receiver that trusts its secret. */
async function newEndpoint(events: readonly string[] = ['tenant.provisioned']) {
  names += 1;
  const name = `shop-${names}`;
  const url = `${standIns.receiver.url}/webhooks/${name}`;
  const answer = await api.post('/v1/webhook-endpoints', { url, events });
  expect(answer.status).toBe(201);
  const { id, secret } = answer.body;
  standIns.receiver.trust(name, [secret]);
  const received = () =>
    standIns.receiver.received('webhooks').filter(({ path }) => path.endsWith(`/${name}`));
  return { id: String(id), secret: String(secret), name, url, received };
}

async function until(path: string, expected: object): Promise<Answer['body']> {
  const read = async (): Promise<unknown> => (await api.ask(path)).body;
  await expect.poll(read, { timeout: 15_000 }).toMatchObject(expected);
  return read();
}

describe('a webhook endpoint', () => {
  it('is made once per key, shows its secret once, and gets what it asked for', async () => {
    const url = `${standIns.receiver.url}/webhooks/once`;
    const body = { url, events: ['transfer.*'], description: 'the shop' };
    const headers = { 'idempotency-key': 'endpoint-1' };
    const made = await api.post('/v1/webhook-endpoints', body, { headers });
    expect(made.status).toBe(201);
    expect(made.body.secret).toMatch(/^whsec_/);
    const again = await api.post('/v1/webhook-endpoints', body, { headers });
    expect([again.status, again.body.id, again.body.secret]).toEqual([
      200,
      made.body.id,
      undefined,
    ]);
    const other = { ...body, events: ['*'] };
    expectProblem(
      await api.post('/v1/webhook-endpoints', other, { headers }),
      409,
      'idempotency_conflict',
    );
    const listed = await api.ask('/v1/webhook-endpoints?limit=200');
    expect(listed.text).not.toContain('whsec_');
    standIns.receiver.trust('once', [made.body.secret]);

    const money = { currency: 'EUR', amount: 1_250 };
    const transfer = await succeed(api, '/v1/transfers', {
      fromUserId: 'ann',
      toUserId: 'bob',
      ...money,
    });
    const timeline = await until(`/v1/operations/${transfer.id}/timeline`, {
      deliveries: expect.arrayContaining([
        expect.objectContaining({
          channel: 'webhook',
          status: 'sent',
          attemptCount: 1,
          event: expect.objectContaining({ name: 'transfer.settled' }),
        }),
        expect.objectContaining({ channel: 'email', status: 'sent', userId: 'bob' }),
        // She has no address.
        expect.objectContaining({ channel: 'email', status: 'skipped', userId: 'ann' }),
      ]),
    });
    expect(timeline.deliveries).toHaveLength(3);
    const log = await api.ask(`/v1/deliveries?operationId=${transfer.id}&channel=webhook`);
    expect(log.body.items).toHaveLength(1);
    const one = await api.ask(`/v1/deliveries/${log.body.items[0].id}`);
    expect(one.body).toMatchObject({
      status: 'sent',
      data: { amount: '1250', amountText: '12.50 EUR' },
      attempts: [{ provider: 'webhook', outcome: 'sent', status: 204 }],
    });
    const received = standIns.receiver.received('webhooks').at(-1);
    expect(received).toMatchObject({ path: '/webhooks/once', verdict: 'verified' });
  });

  it.each([
    ['http://169.254.169.254/latest', '/url'],
    ['https://10.0.0.1/hook', '/url'],
    ['https://user:secret@93.184.215.14/', '/url'],
    ['ftp://93.184.215.14/', '/url'],
    ['https://93.184.215.14:22/', '/url'],
  ])('is refused at %s', async (url, pointer) => {
    const before = await api.effects();
    const answer = await api.post('/v1/webhook-endpoints', { url, events: ['*'] });
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toEqual([pointer]);
    expect(await api.effects()).toEqual(before);
  });

  it('is refused with filters that are none', async () => {
    const url = `${standIns.receiver.url}/webhooks/x`;
    for (const events of [[], ['transfer.*.x'], ['Transfer'], [{ $gt: '' }]]) {
      expectProblem(
        await api.post('/v1/webhook-endpoints', { url, events }),
        400,
        'invalid_request',
      );
    }
  });

  it('can be tried out, also with two secrets while one takes the place of the other', async () => {
    const endpoint = await newEndpoint();
    const fired = await api.post(`/v1/webhook-endpoints/${endpoint.id}/test`, {});
    expect(fired.status).toBe(202);
    await until(`/v1/deliveries/${fired.body.id}`, { status: 'sent' });
    expect(endpoint.received()).toMatchObject([
      { verdict: 'verified', content: { type: 'webhook-endpoint.test' } },
    ]);
    const headers = { 'idempotency-key': `rotate-${endpoint.id}` };
    const path = `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`;
    const rotated = await api.post(path, {}, { headers });
    expect(rotated.body.secret).toMatch(/^whsec_/);
    expect(rotated.body.secret).not.toBe(endpoint.secret);
    expect((await api.post(path, {}, { headers })).body.secret).toBeUndefined();
    for (const secret of [endpoint.secret, rotated.body.secret]) {
      standIns.receiver.trust(endpoint.name, [secret]);
      const next = await api.post(`/v1/webhook-endpoints/${endpoint.id}/test`, {});
      await until(`/v1/deliveries/${next.body.id}`, { status: 'sent' });
    }
    expect(endpoint.received().map(({ verdict }) => verdict)).toEqual([
      'verified',
      'verified',
      'verified',
    ]);
  });

  it('can be changed, disabled, enabled and removed', async () => {
    const { id } = await newEndpoint();
    const path = `/v1/webhook-endpoints/${id}`;
    const change = (body: object) => api.ask(path, { method: 'PATCH', body });
    expect((await change({ events: ['hold.*'], status: 'disabled' })).body).toMatchObject({
      events: ['hold.*'],
      status: 'disabled',
    });
    expectProblem(await api.post(`${path}/test`, {}), 409, 'illegal_state');
    expect((await change({ status: 'enabled' })).body.status).toBe('enabled');
    expectProblem(await change({}), 400, 'invalid_request');
    expectProblem(await change({ url: 'https://127.0.0.1.nip.io:22/' }), 400, 'invalid_request');
    expect((await api.ask(path, { method: 'DELETE' })).status).toBe(204);
    expectProblem(await api.ask(path), 404, 'not_found');
    expectProblem(await api.ask(path, { method: 'DELETE' }), 404, 'not_found');
  });
});

describe('deliveries', () => {
  it('that failed can be sent again, one or all that a filter names', async () => {
    const endpoint = await newEndpoint();
    standIns.receiver.inject({ on: 'webhooks', kind: 'status', status: 404, times: 24 });
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const fired = await api.post(`/v1/webhook-endpoints/${endpoint.id}/test`, {});
      await until(`/v1/deliveries/${fired.body.id}`, { status: 'failed' });
      ids.push(String(fired.body.id));
    }
    const resent = await api.post(`/v1/deliveries/${ids[0] ?? ''}/resend`, {});
    expect(resent.status).toBe(202);
    await until(`/v1/deliveries/${ids[0] ?? ''}`, {
      status: 'sent',
      resends: 1,
      attemptsUsed: 1,
      attempts: { length: 9, 7: { outcome: 'transient', status: 404 }, 8: { outcome: 'sent' } },
    });
    const filter = { status: 'failed', endpointId: endpoint.id };
    const replay = (body: object) => api.post('/v1/deliveries/replay', body);
    const counted = await replay({ filter, dryRun: true });
    expect(counted.body).toEqual({ matched: 2, replayed: 0, isComplete: true });
    expect(endpoint.received()).toHaveLength(25);
    expect((await replay({ filter })).body).toEqual({ matched: 2, replayed: 2, isComplete: true });
    for (const id of ids) await until(`/v1/deliveries/${id}`, { status: 'sent' });
    expect((await replay({ filter })).body).toMatchObject({ replayed: 0 });
    const webhookIds = endpoint.received().map(({ headers }) => headers['webhook-id']);
    expect(new Set(webhookIds)).toEqual(new Set(ids));
  });

  it.each([
    [{}, ['/filter']],
    [{ filter: { status: 'failed' } }, ['/filter']],
    [{ filter: { status: 'pending', channel: 'email' } }, ['/filter/status']],
    [{ filter: { channel: 'email' } }, ['/filter/status']],
  ])('are not replayed by %j', async (body, pointers) => {
    const answer = await api.post('/v1/deliveries/replay', body);
    expectProblem(answer, 400, 'invalid_request');
    expect(pointersOf(answer)).toEqual(pointers);
  });

  it('are listed page by page, the newest first', async () => {
    const { id } = await newEndpoint();
    for (let count = 0; count < 3; count += 1) {
      await api.post(`/v1/webhook-endpoints/${id}/test`, {});
    }
    const first = await api.ask(`/v1/deliveries?endpointId=${id}&limit=2`);
    const second = await api.ask(
      `/v1/deliveries?endpointId=${id}&limit=2&cursor=${first.body.nextCursor}`,
    );
    expect([first.body.items.length, second.body.items.length]).toEqual([2, 1]);
    expect(second.body.nextCursor).toBeNull();
    const items = [...first.body.items, ...second.body.items] as readonly { id: string }[];
    const ids = items.map(({ id: one }) => one);
    expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? 1 : -1)));
  });
});

describe('templates', () => {
  it('have versions; the newest is used, and can be looked at beforehand', async () => {
    const key = { name: 'invoice.due', channel: 'email', locale: 'en' };
    const add = (text: string) => api.post('/v1/templates', { ...key, text, subject: 'Due' });
    expect((await add('one {{n}}')).body.version).toBe(1);
    const second = await add('two {{n}}');
    expect(second.body.version).toBe(2);
    expect((await api.ask(`/v1/templates/${second.body.id}`)).body.text).toBe('two {{n}}');
    const listed = await api.ask('/v1/templates?name=invoice.due');
    expect(listed.body.items).toMatchObject([{ version: 1 }, { version: 2 }]);
    const shown = await api.post('/v1/templates/preview', {
      ...{ name: key.name, channel: key.channel, locale: 'en-GB' },
      data: { n: 7 },
    });
    expect(shown.body).toEqual({ subject: 'Due', text: 'two 7', variables: ['n'] });
    const html = { text: 'x', html: '<b>{{name}}</b>' };
    const escaped = await api.post('/v1/templates/preview', {
      template: html,
      data: { name: '<script>' },
    });
    expect(escaped.body.html).toBe('<b>&lt;script&gt;</b>');
    expectProblem(await add('broken {{'), 400, 'invalid_request');
  });
});

describe('rules and suppressions', () => {
  it('are kept', async () => {
    const put = (body: object) => api.ask('/v1/notification-rules', { method: 'PUT', body });
    expect((await put({ event: 'hold.placed', channels: ['email'] })).status).toBe(200);
    expect((await api.ask('/v1/notification-rules')).body.items).toMatchObject([
      { event: 'hold.placed', channels: ['email'] },
    ]);
    expect((await put({ event: 'hold.placed', channels: null })).status).toBe(200);
    expect((await api.ask('/v1/notification-rules')).body.items).toEqual([]);
    expectProblem(await put({ event: 'made.up', channels: [] }), 400, 'invalid_request');

    const entry = { channel: 'email', address: 'No@example.test' };
    const added = await api.post('/v1/suppressions', entry);
    const again = await api.post('/v1/suppressions', { ...entry, address: 'no@example.test' });
    expect(again.body.id).toBe(added.body.id);
    const path = `/v1/suppressions/${added.body.id}`;
    expect((await api.ask(path, { method: 'DELETE' })).status).toBe(204);
    expectProblem(await api.ask(path, { method: 'DELETE' }), 404, 'not_found');
  });
});
