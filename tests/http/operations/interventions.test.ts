import { beforeAll, describe, expect, it } from 'vitest';
import { pointersOf, useApi } from '../../support/api.ts';
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
  park,
  refusedWithoutEffect,
} = scenario;
let others = '';
let writer = '';

beforeAll(async () => {
  await scenario.setPolicy();
  await api.newTenant('other');
  others = await api.newKey({ tenantId: 'other', scopes: ['admin'] });
  writer = await api.newKey({ scopes: ['operations:write', 'ledger:read'] });
});

describe('POST /v1/operations/{id}/cancel', () => {
  it('of a stepwise operation that waits takes back what has happened', async () => {
    const { id, userId } = await inReview();
    expect(await wallet(userId)).toMatchObject({ lockedBalance: '5000' });
    const headers = { prefer: 'wait=20' };
    const answer = await api.post(`/v1/operations/${id}/cancel`, undefined, { headers });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'canceled', cancelRequested: { by: 'admin', at: expect.any(String) } },
    });
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    const again = await api.post(`/v1/operations/${id}/cancel`, undefined);
    expect(again.body).toEqual(answer.body);
    expect(storyOf(await timelineOf(id))).toContain('cancel.requested');
  });

  it('of one that is running is honoured at the next step', async () => {
    const userId = await fundedUser();
    api.sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 1_500 });
    const { body } = await api.post('/v1/deposits', { ...payment, userId, amount: 700 });
    await reaches(body.id, 'running');
    const asked = await api.post(`/v1/operations/${body.id}/cancel`, undefined);
    expect(asked).toMatchObject({ status: 202, body: { status: 'running' } });
    await reaches(body.id, 'canceled');
    expect(await wallet(userId)).toMatchObject({ balance: '50000' });
    const payments = api.sandbox.payments().filter(({ key }) => key.startsWith(body.id as string));
    expect(payments).toMatchObject([{ kind: 'authorisations', isVoided: true }]);
  });

  it.each(['/v1/deposits', '/v1/credits'])('of a scheduled one (%s) is immediate', async (path) => {
    const userId = await fundedUser();
    const runAt = new Date(Date.now() + 3_600_000).toISOString();
    const extra = path === '/v1/deposits' ? payment : { currency: 'EUR' };
    const { body } = await api.post(path, { ...extra, userId, amount: 1, runAt });
    const answer = await api.post(`/v1/operations/${body.id}/cancel`, undefined);
    expect(answer).toMatchObject({ status: 200, body: { status: 'canceled' } });
    expect(answer.body).not.toHaveProperty('runAt');
  });

  it('comes too late past the point of no return, while the operation still runs', async () => {
    const userId = await fundedUser();
    api.sandbox.inject({ on: 'payouts', kind: 'delay', delayMs: 3_000 });
    const { id } = (await api.post('/v1/withdrawals', { ...payment, userId, amount: '1' })).body;
    const lastStep = async (): Promise<unknown> => {
      const { steps = [] } = (await operation(id)) as { steps?: readonly { name: string }[] };
      return steps.at(-1)?.name;
    };
    await expect.poll(lastStep, { timeout: 20_000, interval: 50 }).toBe('payout');
    const answer = await refusedWithoutEffect(
      () => api.post(`/v1/operations/${id}/cancel`, undefined),
      ...([409, 'not_cancelable'] as const),
    );
    expect(answer.body.detail).toContain('point of no return');
    expect(await operation(id)).toMatchObject({ status: 'running' });
    await reaches(id, 'succeeded');
    expect(await wallet(userId)).toMatchObject({ balance: '49999', lockedBalance: '0' });
  });
});

describe('POST /v1/operations/{id}/retry', () => {
  it('lets what is parked go on, and keeps who said so and why', async () => {
    const { id } = await inReview();
    await park(id);
    const headers = { prefer: 'wait=5' };
    const parked = await operation(id);
    expect(parked).toMatchObject({ status: 'needs_attention', error: { code: 'outcome_unknown' } });
    await api.post(`/v1/operations/${id}/signals/risk-decision`, { approve: true });
    const body = { note: 'asked the bank' };
    const answer = await api.post(`/v1/operations/${id}/retry`, body, { headers });
    expect(answer).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    const retried = { event: 'retried', actor: 'admin', note: 'asked the bank' };
    expect(await timelineOf(id)).toContainEqual(expect.objectContaining(retried));
  });

  it('`assume: applied` takes a step of unknown outcome for done, without calling again', async () => {
    const { id, userId } = await inReview();
    await api.post(`/v1/operations/${id}/signals/risk-decision`, { approve: true });
    const { steps } = await reaches(id, 'succeeded');
    expect(steps).toHaveLength(5);
    // As if the worker had lost the answer of the payout for good.
    const stored = await api.db
      .collection<{ _id: string; steps: readonly object[] }>('operations')
      .findOne({ _id: id });
    const payout = { ...stored?.steps[2], status: 'unsure' };
    const other = await inReview();
    await park(other.id, {
      steps: [...(stored?.steps.slice(0, 2) ?? []), payout],
      pivotPassed: true,
    });
    const path = `/v1/operations/${other.id}/retry`;
    const body = { note: 'it is on the statement', assume: 'applied' };
    const answer = await api.post(path, body, { headers: { prefer: 'wait=20' } });
    expect(answer.body.status).toBe('succeeded');
    const called = api.sandbox.payments().filter(({ key }) => key.startsWith(other.id));
    expect(called).toEqual([]);
    expect(await wallet(other.userId)).toMatchObject({ balance: '45000', lockedBalance: '0' });
    expect(await wallet(userId)).toMatchObject({ balance: '45000' });
  });

  /** As if the payout had been sent, and nobody knew what became of it. */
  async function lostPayout(): Promise<{ id: string; userId: string }> {
    const { id, userId } = await inReview();
    const operations = api.db.collection<{ _id: string; steps: readonly object[] }>('operations');
    const { steps = [] } = (await operations.findOne({ _id: id })) ?? {};
    const [hold, check] = steps;
    const {
      waitingFor: _for,
      waitedSince: _since,
      ...checked
    } = { ...check } as {
      waitingFor?: unknown;
      waitedSince?: unknown;
    };
    const done = { ...checked, name: 'risk-check', status: 'done' };
    const payout = { ...done, name: 'payout', status: 'unsure', isPivot: true };
    await park(id, { steps: [hold, done, payout], pivotPassed: true });
    return { id, userId };
  }

  it('`direction: back` takes back what happened, once it is known that nobody was paid', async () => {
    const { id, userId } = await lostPayout();
    const path = `/v1/operations/${id}/retry`;
    const back = { note: 'the bank has never seen it', direction: 'back' };
    await refusedWithoutEffect(
      () => api.post(path, back),
      ...([409, 'illegal_state'] as const), // it may have been paid
    );
    const headers = { prefer: 'wait=20' };
    const answer = await api.post(path, { ...back, assume: 'absent' }, { headers });
    expect(answer.body).toMatchObject({
      status: 'compensated',
      error: { code: 'outcome_unknown' },
    });
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    // A payout that is still under way would find the door shut.
    const payments = api.sandbox.payments().filter(({ key }) => key === `${id}.payout`);
    expect(payments).toMatchObject([{ kind: 'tombstone' }]);
  });

  it('has nothing to assume where every outcome is known', async () => {
    const { id } = await inReview();
    await park(id);
    const body = { note: 'x', assume: 'absent' };
    await refusedWithoutEffect(
      () => api.post(`/v1/operations/${id}/retry`, body),
      ...([409, 'illegal_state'] as const),
    );
    expect((await operation(id)).status).toBe('needs_attention');
  });
});

describe('POST /v1/operations/{id}/resolve', () => {
  it('closes what is parked, with a note that the view shows', async () => {
    const userId = await fundedUser();
    const runAt = new Date(Date.now() + 3_600_000).toISOString();
    const { id } = (await api.post('/v1/deposits', { ...payment, userId, amount: 1, runAt })).body;
    await park(id);
    const body = { note: 'paid by hand', status: 'succeeded' };
    const answer = await api.post(`/v1/operations/${id}/resolve`, body);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        status: 'succeeded',
        completedAt: expect.any(String),
        resolution: { note: 'paid by hand', by: 'admin', at: expect.any(String) },
      },
    });
    expect(answer.body).not.toHaveProperty('error');
    const rows = await api.db.collection('outbox').find({ 'events.operationId': id }).toArray();
    expect(rows.flatMap(({ events }) => events as unknown[])).toContainEqual(
      expect.objectContaining({ name: 'operation.succeeded' }),
    );
    await refusedWithoutEffect(
      () => api.post(`/v1/operations/${id}/resolve`, body),
      ...([409, 'illegal_state'] as const),
    );
  });
});

describe('an operation that has money set aside', () => {
  it('cannot be resolved, for nothing could ever release the hold', async () => {
    const { id, userId } = await inReview();
    await park(id);
    const answer = await refusedWithoutEffect(
      () => api.post(`/v1/operations/${id}/resolve`, { note: 'enough', status: 'canceled' }),
      ...([409, 'illegal_state'] as const),
    );
    expect(answer.body.detail).toContain('still open');
    const body = { note: 'enough', direction: 'back' };
    const headers = { prefer: 'wait=20' };
    const back = await api.post(`/v1/operations/${id}/retry`, body, { headers });
    expect(back.body.status).toBe('compensated');
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
  });
});

describe.each(['retry', 'resolve'])('POST /v1/operations/{id}/%s', (action) => {
  const good = action === 'retry' ? { note: 'x' } : { note: 'x', status: 'canceled' };
  const path = async (): Promise<string> => `/v1/operations/${(await sharedReview()).id}/${action}`;

  it('refuses what does not need attention', async () => {
    const to = await path();
    await refusedWithoutEffect(() => api.post(to, good), ...([409, 'illegal_state'] as const));
  });

  it('is for admins only', async () => {
    const to = await path();
    await refusedWithoutEffect(
      () => api.post(to, good, { key: writer }),
      ...([403, 'forbidden'] as const),
    );
  });

  it("does not know another tenant's operation", async () => {
    const to = await path();
    await refusedWithoutEffect(
      () => api.post(to, good, { key: others }),
      ...([404, 'not_found'] as const),
    );
  });

  const garbage: readonly (readonly [string, unknown, string])[] = [
    ['no note', { ...good, note: undefined }, '/note'],
    ['an empty note', { ...good, note: '  ' }, '/note'],
    ['a long note', { ...good, note: 'x'.repeat(501) }, '/note'],
    ['an unknown field', { ...good, force: true }, '/force'],
    ['an operator', { ...good, note: { $gt: '' } }, '/note'],
    ...(action === 'retry'
      ? ([
          ['another assumption', { ...good, assume: 'maybe' }, '/assume'],
          ['another direction', { ...good, direction: 'up' }, '/direction'],
        ] as const)
      : ([['another status', { ...good, status: 'expired' }, '/status']] as const)),
  ];
  it.each(garbage)('refuses %s', async (_name, body, pointer) => {
    const to = await path();
    const answer = await refusedWithoutEffect(
      () => api.post(to, body),
      ...([400, 'invalid_request'] as const),
    );
    expect(pointersOf(answer)).toEqual([pointer]);
  });
});

describe('the list of operations', () => {
  it('leaves steps and signals to the operation itself', async () => {
    const { id } = await inReview();
    // As if the answer had come just now.
    const signals = { 'risk-decision': { data: { approve: true }, at: new Date(), by: 'ann' } };
    await api.db
      .collection<{ _id: string }>('operations')
      .updateOne({ _id: id }, { $set: { signals } });
    const { body } = await api.ask(`/v1/operations?ids=${id}`);
    expect(body.items[0]).toMatchObject({ id, waitingFor: { signal: 'risk-decision' } });
    expect(body.items[0]).not.toHaveProperty('steps');
    expect(body.items[0]).not.toHaveProperty('signals');
  });
});
