import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, pointersOf, useApi } from '../../support/api.ts';
import { payment, paymentScenario } from '../../support/payment-scenario.ts';

/** Whose word counts, on what, and when. */
const api = useApi({ sagas: true });
const scenario = paymentScenario(api);
const { fundedUser, operation, reaches, inReview, sharedReview, wallet, refusedWithoutEffect } =
  scenario;
const NAME = 'risk-decision';
const pathOf = (id: string): string => `/v1/operations/${id}/signals/${NAME}`;

let writer = '';
let approver = '';
beforeAll(async () => {
  await scenario.setPolicy();
  writer = await api.newKey({ scopes: ['operations:write', 'ledger:read'] });
  approver = await api.newKey({ scopes: ['operations:approve'] });
});

describe('an approval', () => {
  it('that comes before the question is refused, and lifts no amount above the hard limit', async () => {
    const userId = await fundedUser(200_000);
    const runAt = new Date(Date.now() + 1_500).toISOString();
    const input = { ...payment, userId, amount: 110_000, runAt };
    const { body } = await api.post('/v1/withdrawals', input, { key: writer });
    expect(body).toMatchObject({ status: 'waiting', runAt });
    await refusedWithoutEffect(
      () => api.post(pathOf(body.id), { approve: true }, { key: approver }),
      ...([409, 'illegal_state'] as const),
    );
    const ended = await reaches(body.id, 'compensated');
    expect(ended.error).toMatchObject({ code: 'risk_declined' });
    expect(await wallet(userId)).toMatchObject({ balance: '200000', lockedBalance: '0' });
  });

  it('of what is above the hard limit counts for nothing, whenever it was stored', async () => {
    const { id, userId } = await inReview();
    // The limit is lowered while a person looks at it, who then approves.
    const tenants = api.db.collection<{ _id: string }>('tenants');
    const lower = [{ currency: 'EUR', withdrawalRisk: { review: '1000', decline: '4000' } }];
    await tenants.updateOne({ _id: 'default' }, { $set: { policies: lower } });
    try {
      await api.post(pathOf(id), { approve: true }, { key: approver });
      expect(await reaches(id, 'compensated')).toMatchObject({ error: { code: 'risk_declined' } });
      expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    } finally {
      await scenario.setPolicy();
    }
  });

  it('is not for the key that may ask for the withdrawal, but for one that may approve', async () => {
    const { id, userId } = await inReview();
    const answer = await refusedWithoutEffect(
      () => api.post(pathOf(id), { approve: true }, { key: writer }),
      ...([403, 'forbidden'] as const),
    );
    expect(answer.headers.get('www-authenticate')).toContain('scope="operations:approve"');
    expectProblem(
      await api.post('/v1/withdrawals', { ...payment, userId, amount: 1 }, { key: approver }),
      ...([403, 'forbidden'] as const),
    );
    const headers = { prefer: 'wait=20' };
    const approved = await api.post(pathOf(id), { approve: true }, { key: approver, headers });
    expect(approved.body).toMatchObject({ status: 'succeeded' });
    expect(await wallet(userId)).toMatchObject({ balance: '45000' });
  });
});

describe('a signal', () => {
  const misfits: readonly (readonly [unknown, readonly string[]])[] = [
    [{ approve: 'yes' }, ['/approve']],
    [{}, ['/approve']],
    [true, ['']],
    [null, ['']],
    [[], ['']],
    [{ approve: 1 }, ['/approve']],
    [{ approve: true, force: true }, ['/force']],
    [{ approve: true, note: 7 }, ['/note']],
  ];
  it.each(misfits)('of data that its type does not take is pointed at: %j', async (data, where) => {
    const { id } = await sharedReview();
    const answer = await refusedWithoutEffect(
      () => api.post(pathOf(id), data),
      ...([400, 'invalid_request'] as const),
    );
    expect(pointersOf(answer)).toEqual(where);
    expect(await operation(id)).toMatchObject({ status: 'waiting' });
    expect(await operation(id)).not.toHaveProperty('signals');
  });

  it('of another name than its type knows is refused, with the names that it knows', async () => {
    const { id } = await sharedReview();
    for (const name of ['risk-decisions', 'go', 'constructor']) {
      const answer = await refusedWithoutEffect(
        () => api.post(`/v1/operations/${id}/signals/${name}`, { approve: true }),
        ...([400, 'invalid_request'] as const),
      );
      expect(pointersOf(answer)).toEqual(['/name']);
      expect(answer.body.errors[0].detail).toContain(NAME);
    }
  });

  it('that does not fit is no answer: the first valid one counts', async () => {
    const { id, userId } = await inReview();
    expect((await api.post(pathOf(id), { approve: 'no' })).status).toBe(400);
    const headers = { prefer: 'wait=20' };
    const decision = { approve: true, note: 'asked the customer' };
    const answer = await api.post(pathOf(id), decision, { headers });
    expect(answer.body).toMatchObject({ status: 'succeeded' });
    expect(answer.body.signals[NAME]).toMatchObject({ data: decision });
    expect(await wallet(userId)).toMatchObject({ balance: '45000' });
    expectProblem(await api.post(pathOf(id), { approve: false }), 409, 'illegal_state');
  });

  it('of a type that waits for nothing is refused', async () => {
    const userId = await fundedUser();
    const runAt = new Date(Date.now() + 3_600_000).toISOString();
    const input = { ...payment, userId, amount: 1, runAt };
    const { id } = (await api.post('/v1/deposits', input)).body;
    const answer = await refusedWithoutEffect(
      () => api.post(pathOf(id), { approve: true }),
      ...([400, 'invalid_request'] as const),
    );
    expect(pointersOf(answer)).toEqual(['/name']);
  });
});

describe('Prefer: wait', () => {
  const wait = { headers: { prefer: 'wait=25' } };

  it('ends when a person is needed, with the state of that moment', async () => {
    const userId = await fundedUser();
    const input = { ...payment, userId, amount: 5_000 };
    const startedMs = performance.now();
    const submitted = await api.post('/v1/withdrawals', input, wait);
    expect(submitted).toMatchObject({
      status: 202,
      body: { status: 'waiting', waitingFor: { signal: NAME, step: 'risk-check' } },
    });
    const bulk = [{ type: 'withdrawal', input, idempotencyKey: 'bulk-wait-1' }];
    const listed = await api.post('/v1/operations/bulk', bulk, wait);
    expect(listed.body.results[0].operation).toMatchObject({ status: 'waiting' });
    const read = await api.ask(`/v1/operations/${submitted.body.id}`, wait);
    expect(read).toMatchObject({ status: 200, body: { status: 'waiting' } });
    // Far less than three waits: nobody has been kept for a person.
    expect(performance.now() - startedMs).toBeLessThan(50_000);
  });

  it('ends with the state at its end, not with the one from before it', async () => {
    const userId = await fundedUser();
    api.sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 4_000 });
    const headers = { prefer: 'wait=2' };
    const input = { ...payment, userId, amount: 10 };
    const late = await api.post('/v1/deposits', input, { headers });
    expect(late).toMatchObject({ status: 202, body: { status: 'running' } });
    // Asked for by id it waits as well.
    const read = await api.ask(`/v1/operations/${late.body.id}`, wait);
    expect(read).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    expect(read.headers.get('preference-applied')).toBe('wait=25');
  });
});

describe('what needs attention', () => {
  it('is not retryable: the same key gets the same operation, whatever went wrong', async () => {
    const { id } = await inReview();
    for (const code of ['internal', 'provider_unavailable', 'timeout', 'poison_operation']) {
      await scenario.park(id, { error: { code, detail: 'on request' } });
      expect(await operation(id)).toMatchObject({
        status: 'needs_attention',
        error: { code, retryable: false },
      });
    }
  });
});
