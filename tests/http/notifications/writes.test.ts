import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../../core/infra/collections.ts';
import type { DeliveryDoc, DeliveryId } from '../../../core/notifications/delivery/delivery.ts';
import type { WebhookEndpointDoc } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { expectProblem, pointersOf, useApi } from '../../support/api.ts';

const api = useApi({ env: { WEBHOOK_ALLOW_PRIVATE: 'loopback' } });
const URL_ = 'http://127.0.0.1:9/hook';
const path = (id: unknown) => `/v1/webhook-endpoints/${String(id)}`;

function endpoints() {
  return collection<WebhookEndpointDoc>(api.platform.mongo.db, 'webhook_endpoints');
}

async function newEndpoint(events = ['transfer.*']): Promise<string> {
  const answer = await api.post('/v1/webhook-endpoints', { url: URL_, events });
  expect(answer.status).toBe(201);
  return String(answer.body.id);
}

async function storeSent(digit: string): Promise<DeliveryId> {
  const _id: DeliveryId = `dlv_${digit.repeat(48)}`;
  const now = new Date();
  await collection<DeliveryDoc>(api.platform.mongo.db, 'deliveries').insertOne({
    ...{ _id, tenantId: 'default', channel: 'webhook', status: 'sent', category: 'webhooks' },
    event: { id: 'evt_1', name: 'transfer.settled', at: now },
    ...{ address: URL_, template: 'transfer.settled', data: {}, seq: 1, attempts: [] },
    ...{ attemptsUsed: 1, expiresAt: now, createdAt: now },
  });
  return _id;
}

describe('a description of an endpoint', () => {
  it('goes with null, as other optional fields do', async () => {
    const id = await newEndpoint();
    const change = (description: string | null) =>
      api.ask(path(id), { method: 'PATCH', body: { description } });
    expect((await change('the shop')).body.description).toBe('the shop');
    const cleared = await change(null);
    expect([cleared.status, cleared.body.description]).toEqual([200, undefined]);
    expect((await endpoints().findOne({ _id: id as WebhookEndpointDoc['_id'] }))?.description).toBe(
      undefined,
    );
  });
});

describe('a write whose answer was lost, repeated under its key', () => {
  const headers = (key: string) => ({ headers: { 'idempotency-key': key } });

  it('sends a delivery again once', async () => {
    const id = await storeSent('c');
    const other = await storeSent('d');
    const resend = (one: string) =>
      api.post(`/v1/deliveries/${one}/resend`, {}, headers('resend-1'));
    const first = await resend(id);
    expect([first.status, first.body.resends]).toEqual([202, 1]);
    const docs = collection<DeliveryDoc>(api.platform.mongo.db, 'deliveries');
    await docs.updateOne({ _id: id }, { $set: { status: 'sent' } });
    const again = await resend(id);
    expect([again.status, again.body.resends, again.body.status]).toEqual([202, 1, 'sent']);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expectProblem(await resend(other), 409, 'idempotency_conflict');
    expect((await api.post(`/v1/deliveries/${id}/resend`, {})).body.resends).toBe(2);
  });

  it('tries an endpoint out once', async () => {
    const id = await newEndpoint();
    const test = () => api.post(`${path(id)}/test`, {}, headers('test-1'));
    const [first, again] = [await test(), await test()];
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
    const listed = await api.ask(`/v1/deliveries?endpointId=${id}`);
    expect(listed.body.items).toHaveLength(1);
  });

  it('adds one version of a text, and two texts are never one', async () => {
    const text = { name: 'repeat.me', channel: 'email', locale: 'en', text: 'Hello' };
    const add = (body: object) => api.post('/v1/templates', body, headers('template-1'));
    const answers = await Promise.all([add(text), add(text), add(text)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.id as string)).size).toBe(1);
    expectProblem(await add({ ...text, text: 'Bye' }), 409, 'idempotency_conflict');
  });

  it('rotates a secret once, also when another rotation came in between', async () => {
    const id = await newEndpoint();
    const rotate = (key: string) => api.post(`${path(id)}/rotate-secret`, {}, headers(key));
    const made = [(await rotate('rotate-a')).body.secret, (await rotate('rotate-b')).body.secret];
    expect(new Set(made.filter((secret) => typeof secret === 'string')).size).toBe(2);
    for (const key of ['rotate-a', 'rotate-b', 'rotate-a']) {
      const again = await rotate(key);
      expect([again.status, again.body.secret]).toEqual([200, undefined]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }
    const stored = await endpoints().findOne({ _id: id as WebhookEndpointDoc['_id'] });
    expect(stored?.secrets).toHaveLength(3); // the first one of all signs as well
  });
});

describe('eight versions of one text at once', () => {
  it('get a number each', async () => {
    const text = { name: 'race.me', channel: 'email', locale: 'en' };
    const all = Array.from({ length: 8 }, (_, index) =>
      api.post('/v1/templates', { ...text, text: `number ${index}` }),
    );
    const answers = await Promise.all(all);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const versions = answers.map(({ body }) => Number(body.version)).toSorted((a, b) => a - b);
    expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('a webhook endpoint', () => {
  it.each([['foo'], ['nonsense.*'], ['operation.running']])(
    'for %s, which no event can match, is refused with the names of those there are',
    async (filter) => {
      const events = ['transfer.*', filter];
      const answer = await api.post('/v1/webhook-endpoints', { url: URL_, events });
      expectProblem(answer, 400, 'invalid_request');
      expect(pointersOf(answer)).toEqual(['/events/1']);
      expect(answer.text).toContain('transfer.settled, ');
      const id = await newEndpoint();
      const changed = await api.ask(path(id), { method: 'PATCH', body: { events } });
      expectProblem(changed, 400, 'invalid_request');
    },
  );

  it('with a new URL starts anew; the same URL again changes nothing', async () => {
    const id = await newEndpoint();
    const failing = { failingSince: new Date(), failedAt: new Date() };
    await endpoints().updateOne({ _id: id as WebhookEndpointDoc['_id'] }, { $set: failing });
    const change = (url: string) => api.ask(path(id), { method: 'PATCH', body: { url } });
    expect((await change(URL_)).body).toHaveProperty('failingSince');
    expect((await change(`${URL_}/new`)).body).not.toHaveProperty('failingSince');
  });

  it('is one of fifty at most, also when 120 are asked for at once', async () => {
    await endpoints().deleteMany({ tenantId: 'default' });
    const ask = () => api.post('/v1/webhook-endpoints', { url: URL_, events: ['*'] });
    const answers = await Promise.all(Array.from({ length: 120 }, ask));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(LIMITS.webhookEndpointsMax);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 409, 'limit_reached');
    }
    expect(await endpoints().countDocuments({ tenantId: 'default' })).toBe(50);
    const [one] = made;
    expect((await api.ask(path(one?.body.id), { method: 'DELETE' })).status).toBe(204);
    expect((await ask()).status).toBe(201); // its place is free again
    expectProblem(await ask(), 409, 'limit_reached');
  });
});

describe('suppressions that came by a mistake', () => {
  it('are taken off together, those of one reason and channel', async () => {
    const add = (channel: string, address: string, reason: string) =>
      api.post('/v1/suppressions', { channel, address, reason });
    await add('push', 'token-1', 'gone');
    await add('push', 'token-2', 'gone');
    await add('email', 'a@example.test', 'gone');
    await add('push', 'token-3', 'asked');
    const remove = (query: string) => api.ask(`/v1/suppressions?${query}`, { method: 'DELETE' });
    const removed = await remove('reason=gone&channel=push');
    expect([removed.status, removed.body]).toEqual([200, { removed: 2, isComplete: true }]);
    const left = await api.ask('/v1/suppressions');
    expect(
      (left.body.items as { address: string }[]).map(({ address }) => address).toSorted(),
    ).toEqual(['a@example.test', 'token-3']);
    expectProblem(await remove('channel=push'), 400, 'invalid_request');
  });
});
