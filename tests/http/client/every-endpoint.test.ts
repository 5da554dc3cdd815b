import { describe, expect, it } from 'vitest';
import { ENDPOINTS } from '../../../api/routes/index.ts';
import { type SluiceClient, createClient } from '../../../client/src/index.ts';
import { ADMIN_KEY, useApi } from '../../support/api.ts';
import { type Sample, makeSample } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true, env: { WEBHOOK_ALLOW_PRIVATE: 'loopback' } });

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

function recording(sent: Sent[]): SluiceClient {
  return createClient({
    ...{ baseUrl: api.url, apiKey: ADMIN_KEY, retries: 0 },
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      const { pathname: path } = new URL(url);
      sent.push({ method: init.method ?? 'GET', path, status: response.status });
      return response;
    },
  });
}

const eur = { currency: 'EUR', amount: 10n } as const;
const wait = { wait: 20 };

async function callLedger(client: SluiceClient, { userId, walletId, ...ids }: Sample) {
  await client.users.create({ userId: 'cyd', wallets: [{ currency: 'EUR' }] }, wait);
  await client.users.update({ userId: 'cyd', displayName: 'Cyd' }, wait);
  await client.wallets.open({ userId: 'cyd', currency: 'USD' }, wait);
  await client.wallets.update({ userId: 'cyd', currency: 'USD', status: 'frozen' }, wait);
  await client.credits.create({ userId, ...eur }, wait);
  await client.debits.create({ userId, ...eur }, wait);
  await client.bonuses.award({ userId, ...eur }, wait);
  await client.bonuses.convert({ userId, currency: 'EUR' }, wait);
  await client.batches.create({
    operations: [{ type: 'transfer', input: { fromUserId: userId, toUserId: 'bob', ...eur } }],
  });
  const paid = await client.transfers.create({ fromUserId: userId, toUserId: 'bob', ...eur }, wait);
  expect(paid).toMatchObject({ status: 'succeeded', replayed: false, input: { amount: '10' } });
  expect(await client.transfers.reverse(ids.transferId, {}, wait)).toMatchObject({
    status: 'succeeded',
  });
  const held = await client.holds.place({ userId, ...eur }, wait);
  const { holdId } = held.result as { holdId: string };
  await client.holds.capture(ids.holdId, { amount: 5n }, wait);
  expect(await client.holds.release(holdId, {}, wait)).toMatchObject({ status: 'succeeded' });
  expect((await client.users.get(userId)).userId).toBe(userId);
  expect((await client.users.list({ limit: 2 }).toArray()).length).toBe(2);
  expect((await client.users.wallets(userId))[0]?.id).toBe(walletId);
  expect((await client.wallets.get(walletId)).currency).toBe('EUR');
  const after = paid.id;
  const queued = { queued: true, after };
  const waiting = { queuedDebit: '0', queuedCredit: '0' };
  expect((await client.users.wallets(userId, queued))[0]).toMatchObject(waiting);
  const whole = { ...queued, consistency: 'strong' } as const;
  expect(await client.wallets.get(walletId, whole)).toMatchObject(waiting);
  expect(await client.balances.get(walletId, whole)).toMatchObject(waiting);
  expect((await client.balances.get(walletId)).available).toMatch(/^\d+$/);
  expect((await client.balances.at(walletId, new Date())).at).toMatch(/Z$/);
  expect((await client.wallets.system()).length).toBeGreaterThan(0);
  expect((await client.wallets.transactions(walletId).nextPage()).items.length).toBeGreaterThan(1);
  expect((await client.transactions.list({ userId }).nextPage()).items.length).toBeGreaterThan(1);
  expect(
    (await client.transfers.list({ fromUserId: userId, after }).toArray()).length,
  ).toBeGreaterThan(1);
  expect((await client.transfers.get(ids.transferId)).status).toBe('reversed');
  expect((await client.holds.get(holdId)).status).toBe('released');
  expect((await client.holds.list({ userId, status: 'released' }).toArray()).length).toBe(1);
  // In line behind one another: no worker here takes what has several steps.
  await client.notifications.send({ userId, channels: ['realtime'], content: { text: 'Hi' } });
  await client.deposits.create({ userId, ...eur, instrument: 'card_1' });
  await client.withdrawals.create({ userId, ...eur, instrument: 'iban_1' });
}

async function callOperations(client: SluiceClient, { creditId, userId }: Sample) {
  const input = { userId, ...eur };
  const metadata = { order: 'o-1' };
  const later = new Date(Date.now() + 3_600_000);
  const put = await client.submit('wallet.credit', input, { runAt: later, metadata });
  expect(await client.operations.cancel(put.id, wait)).toMatchObject({ status: 'canceled' });
  const found = await client.operations.list({ metadata, type: 'wallet.credit' }).toArray();
  expect(found.map(({ id }) => id)).toEqual([put.id]);
  expect((await client.operations.get(creditId)).status).toBe('succeeded');
  expect((await client.operations.timeline(creditId)).entries.length).toBeGreaterThan(0);
  expect(await client.waitFor(creditId)).toMatchObject({ outcome: 'succeeded' });
  const [bulk] = await client.submitBulk([{ type: 'wallet.credit', input }], wait);
  expect(bulk).toMatchObject({ ok: true, operation: { status: 'succeeded' } });
  const refused = { code: 'illegal_state', status: 409, isOutcomeUnknown: false };
  const note = 'tried by hand';
  await expect(client.operations.retry(creditId, { note })).rejects.toMatchObject(refused);
  const resolved = client.operations.resolve(creditId, { note, status: 'succeeded' });
  await expect(resolved).rejects.toMatchObject(refused);
  const signaled = client.operations.signal(creditId, 'risk-decision', { approve: true });
  await expect(signaled).rejects.toMatchObject({ status: 409 });
}

async function callNotifications(client: SluiceClient, sample: Sample) {
  const { deliveryId, endpointId, templateId, suppressionId } = sample;
  const { webhookEndpoints, deliveries, templates, suppressions, rules } = client;
  const hook = { url: 'http://127.0.0.1:9/hook', events: ['transfer.*'] } as const;
  const made = await webhookEndpoints.create(hook, { idempotencyKey: 'hook-1' });
  expect(made.secret).toMatch(/^whsec_/);
  expect((await webhookEndpoints.get(made.id)).url).toBe(hook.url);
  expect((await webhookEndpoints.list().toArray()).length).toBe(2);
  expect((await webhookEndpoints.change(made.id, { status: 'disabled' })).status).toBe('disabled');
  expect((await webhookEndpoints.rotateSecret(made.id)).secret).not.toBe(made.secret);
  expect((await webhookEndpoints.test(endpointId)).channel).toBe('webhook');
  await webhookEndpoints.remove(made.id);
  expect((await deliveries.get(deliveryId)).attempts).toEqual([]);
  expect((await deliveries.list({ channel: 'webhook' }).toArray()).length).toBeGreaterThan(0);
  await expect(deliveries.resend(deliveryId)).rejects.toMatchObject({ status: 409 });
  const filter = { status: 'failed', channel: 'email' } as const;
  expect(await deliveries.replay({ filter, dryRun: true })).toBeDefined();
  const text = { name: 'hello', channel: 'email', locale: 'en', text: 'Hi {{name}}' } as const;
  expect((await templates.add(text)).version).toBe(2);
  expect((await templates.get(templateId)).text).toBe('Hello {{name}}');
  expect((await templates.builtIn()).length).toBeGreaterThan(0);
  expect((await templates.list({ name: 'hello' }).toArray()).length).toBe(2);
  const shown = { template: { text: 'Hi {{name}}' }, data: { name: 'Ada' } };
  expect(await templates.preview(shown)).toMatchObject({ text: 'Hi Ada', variables: ['name'] });
  const away = { channel: 'sms', address: '+4915112345678', reason: 'test' } as const;
  expect((await suppressions.add(away)).reason).toBe('test');
  expect((await suppressions.list().toArray()).length).toBe(2);
  await suppressions.remove(suppressionId);
  expect(await suppressions.removeAll({ reason: 'test' })).toEqual({
    removed: 1,
    isComplete: true,
  });
  expect((await rules.list()).builtIn.length).toBeGreaterThan(0);
  expect(await rules.put({ event: 'bonus.awarded', channels: [] })).toMatchObject({ channels: [] });
}

/** For auditors' tools, and for people who run the platform. */
const FOR_OPERATORS = /^\/v1\/(ledger\/|settings|pauses|keys|audit|tenants)|\/(?:proof|waiting)$/;

describe('the client has a call for', () => {
  it('every endpoint of the API', async () => {
    const sample = await makeSample(api);
    const sent: Sent[] = [];
    const client = recording(sent);
    await callOperations(client, sample);
    await callLedger(client, sample);
    await callNotifications(client, sample);
    const stop = new AbortController();
    const stream = client.events.stream({
      signal: stop.signal,
      onReady: () => {
        stop.abort();
      },
    });
    for await (const event of stream) expect(event).toBe('none before the abort');
    const isCalled = (method: string, path: string): boolean => {
      const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`);
      return sent.some((one) => one.method === method && pattern.test(one.path));
    };
    const ofClients = ENDPOINTS.filter(
      ({ path }) => path.startsWith('/v1/') && !FOR_OPERATORS.test(path),
    );
    const missing = ofClients.filter(({ method, path }) => !isCalled(method, path));
    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(sent.filter(({ status }) => status === 400 || status === 404)).toEqual([]);
  });
});
