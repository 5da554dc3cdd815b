import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../core/kernel/clock.ts';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import { collection } from '../../../core/infra/collections.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { createWaitingCounts } from '../../../core/operations/waiting-counts-store.ts';
import { type ApiUnderTest, openApi, useApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { payment, paymentScenario } from '../../support/payment-scenario.ts';
import { until } from '../../support/wait.ts';
import { startOwnRedis } from '../../support/redis-server.ts';

interface WaitingOn {
  readonly kind: string;
  readonly subject: string;
  readonly since: string;
  readonly expectedAt?: string;
}

const waitingOf = async (api: ApiUnderTest, id: string): Promise<WaitingOn | undefined> => {
  const { status, body } = await api.ask(`/v1/operations/${id}/waiting`);
  expect({ status, operationId: body.operationId }).toEqual({ status: 200, operationId: id });
  return body.waitingOn as WaitingOn | undefined;
};

const becomes = async (api: ApiUnderTest, id: string, kind: string): Promise<WaitingOn> => {
  const seen = new Set<string>();
  let found: WaitingOn | undefined;
  await until(
    async () => {
      const now = await waitingOf(api, id);
      seen.add(JSON.stringify(now?.kind ?? 'nothing'));
      if (now?.kind === kind) found = now;
      return found !== undefined;
    },
    () => `${id} waits for ${kind}, not for ${[...seen].join(', ')}`,
  );
  if (found === undefined) throw new Error('it is done already');
  return found;
};

const submitted = async (api: ApiUnderTest, path: string, body: object): Promise<string> => {
  const answer = await api.post(path, body);
  expect(answer.status).toBe(202);
  return answer.body.id as string;
};

const credit = { userId: 'ann', currency: 'EUR', amount: 1 };

/** No worker: what is accepted stays where it is. */
describe('without workers', () => {
  const api = useApi();
  const ask = (id: string) => waitingOf(api, id);

  it('a lane that nobody holds, then its turn, then the one before it in its line', async () => {
    const first = await submitted(api, '/v1/credits', credit);
    const second = await submitted(api, '/v1/credits', credit);
    expect(await ask(first)).toMatchObject({
      kind: 'lease',
      subject: expect.stringMatching(/no worker/),
    });
    const leases = createLeaseStore(api.db);
    for (let lane = 0; lane < 8; lane += 1) await leases.hold(`lane:${lane}`, 'w', 60_000);
    expect(await ask(first)).toMatchObject({
      kind: 'lane',
      subject: expect.stringMatching(/^lane \d$/),
    });
    expect(await ask(second)).toMatchObject({ kind: 'line', subject: first });
  });

  it('a worker of its pool, and recovery once its job is lost', async () => {
    const id = await submitted(api, '/v1/deposits', { ...payment, userId: 'bob', amount: 5 });
    expect(await becomes(api, id, 'queue')).toMatchObject({ subject: 'saga' });
    const { REDIS_URL, QUEUE_PREFIX } = api.platform.env;
    const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    const queue = new Queue('saga', { connection, prefix: QUEUE_PREFIX });
    await queue.obliterate({ force: true });
    await queue.close();
    connection.disconnect();
    expect(await ask(id)).toMatchObject({ kind: 'recovery', expectedAt: expect.any(String) });
  });

  it('its time', async () => {
    const runAt = new Date(Date.now() + 60_000).toISOString();
    const { body } = await api.post('/v1/operations', {
      type: 'wallet.credit',
      input: credit,
      runAt,
    });
    const expected = { kind: 'timer', expectedAt: runAt };
    expect(await ask(body.id)).toMatchObject(expected);
    expect((await api.ask(`/v1/operations/${body.id}`)).body.waitingOn).toMatchObject(expected);
    const timeline = await api.ask(`/v1/operations/${body.id}/timeline`);
    expect(timeline.body.waitingOn).toMatchObject(expected);
  });

  it('a worker whose lease is over is left to recovery; one that has it is named', async () => {
    const id = await submitted(api, '/v1/deposits', { ...payment, userId: 'eve', amount: 5 });
    const operations = collection<OperationDoc>(api.db, 'operations');
    const lease = async (ms: number): Promise<void> => {
      const leaseUntil = new Date(Date.now() + ms);
      const set = { status: 'running' as const, owner: 'worker-7/x', leaseUntil };
      await operations.updateOne({ _id: id as OperationDoc['_id'] }, { $set: set });
    };
    await lease(60_000);
    expect(await ask(id)).toMatchObject({ kind: 'lease', subject: 'worker-7' });
    await lease(-1_000);
    expect(await ask(id)).toMatchObject({ kind: 'recovery' });
  });

  it('another attempt, when the last one has failed', async () => {
    const id = await submitted(api, '/v1/deposits', { ...payment, userId: 'fay', amount: 5 });
    const [failedAt, runAt] = [new Date(Date.now() - 1_000), new Date(Date.now() + 60_000)];
    const error = { code: 'provider_unavailable' as const, detail: 'x' };
    const times = { startedAt: failedAt, failedAt, retryAt: runAt };
    const step = { name: 'authorise', status: 'unsure' as const, attempt: 2, epoch: 1, error };
    await collection<OperationDoc>(api.db, 'operations').updateOne(
      { _id: id as OperationDoc['_id'] },
      { $set: { status: 'waiting', runAt, steps: [{ ...step, ...times }] }, $unset: { line: '' } },
    );
    expect(await ask(id)).toMatchObject({
      kind: 'retry',
      subject: 'authorise, attempt 3',
      since: failedAt.toISOString(),
      expectedAt: runAt.toISOString(),
    });
  });

  it('nobody else sees it, and a terminal operation waits for nothing', async () => {
    const id = await submitted(api, '/v1/credits', { ...credit, userId: 'zoe' });
    await api.newTenant('rival', ['EUR']);
    const key = await api.newKey({ tenantId: 'rival', scopes: ['admin'] });
    expect((await api.ask(`/v1/operations/${id}/waiting`, { key })).status).toBe(404);
    await collection<OperationDoc>(api.db, 'operations').updateOne(
      { _id: id as OperationDoc['_id'] },
      { $set: { status: 'succeeded', completedAt: new Date() } },
    );
    const { body } = await api.ask(`/v1/operations/${id}/waiting`);
    expect(body).toEqual({ operationId: id, status: 'succeeded' });
  });

  it('totals by kind are in the metrics, as the documents tell', async () => {
    const counts = await createWaitingCounts(api.db, systemClock)();
    expect(counts).toMatchObject({ lane: 2, queue: 1, timer: 1, retry: 1, recovery: 1 });
    const metrics = await api.ask('/metrics', { key: null });
    expect(metrics.text).toMatch(/^sluice_waiting\{of="operation",kind="timer"\} 1$/m);
    expect(metrics.text).toMatch(/^sluice_waiting\{of="delivery",kind="breaker"\} 0$/m);
  });
});

describe('with a payment provider', () => {
  const api = useApi({ sagas: true });
  const scenario = paymentScenario(api);
  const deposit = async (): Promise<string> => {
    const userId = await scenario.fundedUser(100);
    return submitted(api, '/v1/deposits', { ...payment, userId, amount: 5 });
  };
  beforeAll(() => scenario.setPolicy());

  it('a person who decides', async () => {
    const { id } = await scenario.inReview();
    const found = await becomes(api, id, 'approval');
    expect(found).toMatchObject({ subject: 'risk-decision', expectedAt: expect.any(String) });
  });

  it('a person who repairs it', async () => {
    const { id } = await scenario.inReview();
    await scenario.park(id);
    expect(await becomes(api, id, 'attention')).toMatchObject({ subject: 'outcome_unknown' });
  });

  it('its answer, and behind it the line', async () => {
    api.sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 2_500 });
    const userId = await scenario.fundedUser(100);
    const first = await submitted(api, '/v1/deposits', { ...payment, userId, amount: 5 });
    expect(await becomes(api, first, 'provider')).toMatchObject({ subject: 'sandbox' });
    const second = await submitted(api, '/v1/credits', { ...credit, userId });
    expect(await becomes(api, second, 'line')).toMatchObject({ subject: first });
  });

  it('what it has asked for, for others too', async () => {
    api.sandbox.inject({ on: 'authorisations', kind: 'throttle', retryAfter: '2' });
    const first = await deposit();
    const found = await becomes(api, first, 'rate');
    expect(found).toMatchObject({ subject: 'sandbox', expectedAt: expect.any(String) });
    await scenario.reaches(first, 'succeeded');
  });

  it('its breaker once that is open, also where nothing has been sent yet', async () => {
    api.sandbox.inject({ on: 'authorisations', kind: 'error', times: 200 });
    onTestFinished(() => api.sandbox.clear());
    const all = await Promise.all(Array.from({ length: 13 }, deposit));
    for (const id of all) {
      expect(await becomes(api, id, 'breaker')).toMatchObject({ subject: 'sandbox' });
    }
  });
});

describe('without Redis', () => {
  it('that it is away', async () => {
    const redis = await startOwnRedis();
    onTestFinished(() => redis.close());
    const api = await openApi(nameOfTest(), { env: { REDIS_QUEUE_URL: redis.url } });
    onTestFinished(() => api.close());
    await redis.stop();
    const id = await submitted(api, '/v1/deposits', { ...payment, userId: 'bob', amount: 5 });
    expect(await becomes(api, id, 'redis-away')).toMatchObject({ subject: 'saga' });
  });
});
