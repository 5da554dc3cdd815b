import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, pointersOf, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { payment, paymentScenario, storyOf } from '../../support/payment-scenario.ts';

const api = useApi({ sagas: true });
const scenario = paymentScenario(api);
const {
  fundedUser,
  operation,
  reaches,
  inReview,
  sharedReview,
  timelineOf,
  wallet,
  refusedWithoutEffect,
} = scenario;
let approver = '';

beforeAll(async () => {
  await scenario.setPolicy();
  approver = await api.newKey({ scopes: ['operations:approve'] });
});

describe('POST /v1/deposits', () => {
  it('takes the bare input, runs its steps and shows them', async () => {
    const userId = await fundedUser(1);
    const body = await succeed(api, '/v1/deposits', { ...payment, userId, amount: '2500' });
    expect(body).toMatchObject({
      type: 'deposit',
      result: { reference: expect.stringMatching(/^sbx_/) },
    });
    const names = ['check', 'authorise', 'capture', 'credit', 'bonus-rule', 'bonus', 'notify'];
    expect(body.steps).toMatchObject(
      names.map((name) => ({
        name,
        status: 'done',
        attempt: 1,
        worker: api.platform.processId,
        startedAt: expect.any(String),
        finishedAt: expect.any(String),
      })),
    );
    expect(await wallet(userId)).toMatchObject({ balance: '2501' });
  });

  it('points at what is wrong with it, and does nothing', async () => {
    const bad = { userId: 'u', currency: 'EUR', amount: 0, provider: '../x' };
    const answer = await refusedWithoutEffect(
      () => api.post('/v1/deposits', bad),
      ...([400, 'invalid_request'] as const),
    );
    expect(pointersOf(answer)).toEqual(['/amount', '/instrument', '/provider']);
  });
});

describe('POST /v1/withdrawals', () => {
  it('pays out what is below the limits', async () => {
    const userId = await fundedUser();
    const body = await succeed(api, '/v1/withdrawals', { ...payment, userId, amount: '900' });
    expect(body.result.reference).toMatch(/^sbx_/);
    expect(await wallet(userId)).toMatchObject({ balance: '49100', lockedBalance: '0' });
  });

  it('takes back what a later step refuses, and the timeline tells it', async () => {
    const userId = await fundedUser();
    const input = { ...payment, userId, amount: '900', instrument: 'decline-payout' };
    const { body } = await api.post('/v1/withdrawals', input, { headers: { prefer: 'wait=20' } });
    expect(body).toMatchObject({ status: 'compensated', error: { code: 'payment_declined' } });
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    const events = await timelineOf(body.id);
    expect(storyOf(events)).toEqual([
      'accepted',
      'enqueued',
      'step.started hold',
      'step.completed hold',
      'step.started risk-check',
      'step.completed risk-check',
      'step.started payout',
      'step.refused payout',
      'compensation.started hold',
      'compensation.completed hold',
      'settled',
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'compensation.started',
        attempt: 1,
        worker: api.platform.processId,
      }),
    );
  });

  it('shows retries with their attempt, reason and worker', async () => {
    const userId = await fundedUser();
    api.sandbox.inject({ on: 'authorisations', kind: 'error', times: 2 });
    const body = await succeed(api, '/v1/deposits', { ...payment, userId, amount: '10' });
    const events = (await timelineOf(body.id)).filter(({ step }) => step === 'authorise');
    const worker = api.platform.processId;
    const failed = { event: 'step.failed', code: 'provider_unavailable', worker };
    expect(events).toMatchObject([
      { event: 'step.started', attempt: 1, worker },
      { ...failed, attempt: 1 },
      // A provider that does not answer uses up no attempt.
      { event: 'step.started', attempt: 1, worker },
      { ...failed, attempt: 1 },
      { event: 'step.started', attempt: 1, worker },
      { event: 'step.completed', attempt: 1, worker },
    ]);
  });
});

describe('POST /v1/operations/{id}/signals/{name}', () => {
  it('lets a waiting operation go on, and the view and the timeline say so', async () => {
    const { id, userId } = await inReview();
    const waiting = await operation(id);
    expect(waiting).toMatchObject({
      waitingFor: { signal: 'risk-decision', step: 'risk-check', until: expect.any(String) },
      runAt: expect.any(String),
    });
    const path = `/v1/operations/${id}/signals/risk-decision`;
    const headers = { prefer: 'wait=20' };
    const answer = await api.post(path, { approve: true }, { key: approver, headers });
    expect(answer.status).toBe(200);
    const by = approver.split('_')[1];
    expect(answer.body).toMatchObject({
      status: 'succeeded',
      signals: { 'risk-decision': { data: { approve: true }, by, at: expect.any(String) } },
    });
    expect(answer.body).not.toHaveProperty('waitingFor');
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
    expect(await wallet(userId)).toMatchObject({ balance: '45000', lockedBalance: '0' });
    const events = await timelineOf(id);
    expect(storyOf(events)).toEqual([
      'accepted',
      'enqueued',
      'step.started hold',
      'step.completed hold',
      'step.waiting risk-check',
      'signal.received',
      'enqueued',
      'step.started risk-check',
      'step.completed risk-check',
      'step.started payout',
      'step.completed payout',
      'step.started capture',
      'step.completed capture',
      'step.started notify',
      'step.completed notify',
      'settled',
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'signal.received', actor: by, data: { approve: true } }),
    );
  });

  it('counts once: a repeat changes nothing, another answer is refused', async () => {
    const { id } = await inReview();
    const path = `/v1/operations/${id}/signals/risk-decision`;
    await api.post(path, { approve: false });
    await reaches(id, 'compensated');
    const before = await api.effects();
    const again = await api.post(path, { approve: false });
    expect(again).toMatchObject({ status: 200, body: { status: 'compensated' } });
    expectProblem(await api.post(path, { approve: true }), 409, 'illegal_state');
    expect(await api.effects()).toEqual(before);
  });

  it('is not for operations that are over or have no steps', async () => {
    const userId = await fundedUser();
    const credit = await succeed(api, '/v1/credits', { userId, currency: 'EUR', amount: 1 });
    const done = await succeed(api, '/v1/deposits', { ...payment, userId, amount: '1' });
    for (const { id } of [credit, done]) {
      const answer = await refusedWithoutEffect(
        () => api.post(`/v1/operations/${id}/signals/go`, {}),
        ...([409, 'illegal_state'] as const),
      );
      expect(answer.body.operationId).toBe(id);
    }
  });

  const garbage: readonly (readonly [string, unknown, number, string])[] = [
    ['no JSON', 'hello', 400, 'invalid_json'],
    ['an operator', { a: { $gt: '' } }, 400, 'invalid_request'],
    ['a dotted key', { 'a.b': 1 }, 400, 'invalid_request'],
    ['__proto__', '{"__proto__": 1}', 400, 'invalid_request'],
    ['nesting', '['.repeat(40) + ']'.repeat(40), 400, 'too_deep'],
    ['too much', { text: 'x'.repeat(17_000) }, 413, 'body_too_large'],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, 'invalid_encoding'],
  ];
  it.each(garbage)('refuses %s', async (_name, body, status, code) => {
    const { id } = await sharedReview();
    const path = `/v1/operations/${id}/signals/go`;
    await refusedWithoutEffect(() => api.post(path, body), status, code);
    expect(await operation(id)).not.toHaveProperty('signals');
  });

  it.each(['UPPER', 'a.b', '$set', '-a', 'x'.repeat(41), '__proto__'])(
    'refuses the name %s',
    async (name) => {
      const { id } = await sharedReview();
      const path = `/v1/operations/${id}/signals/${name}`;
      const answer = await refusedWithoutEffect(
        () => api.post(path, {}),
        ...([400, 'invalid_request'] as const),
      );
      expect(answer.body.errors).toMatchObject([{ parameter: 'name', in: 'path' }]);
    },
  );
});
