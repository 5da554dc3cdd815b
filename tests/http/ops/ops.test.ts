import { describe, expect, it } from 'vitest';
import { QUEUES } from '../../../queues/catalog.ts';
import { ERRORS } from '../../../core/kernel/errors.ts';
import { expectProblem, parametersOf, useApi } from '../../support/api.ts';

const api = useApi({ worker: true });
const open = { key: null } as const;

describe('pages that need no key', () => {
  it('the root names the addresses', async () => {
    const { status, body } = await api.ask('/', open);
    expect(status).toBe(200);
    for (const path of Object.values(body.addresses as Record<string, string>)) {
      const answer = await api.ask(path, open);
      expect({ path, isThere: answer.status !== 404 }).toEqual({ path, isThere: true });
    }
  });

  it('healthz says that the process is alive', async () => {
    const { status, body } = await api.ask('/healthz', open);
    expect({ status, body }).toEqual({ status: 200, body: { status: 'ok', service: 'api' } });
  });

  it('readyz names every dependency', async () => {
    const { status, body } = await api.ask('/readyz', open);
    const tookMs = expect.any(Number) as number;
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        status: 'ready',
        service: 'api',
        dependencies: {
          process: { ok: true, tookMs },
          mongodb: { ok: true, tookMs },
          'redis-queue': { ok: true, tookMs },
          'redis-pub': { ok: true, tookMs },
        },
      },
    });
  });

  it('readyz is not ready for a dependency that it does not know', async () => {
    expect((await api.ask('/readyz?require=mongodb', open)).status).toBe(200);
    expect((await api.ask('/readyz?require=oracle', open)).status).toBe(503);
  });

  it('metrics has requests by pattern, never by path', async () => {
    await api.ask('/v1/operations/op_secret-thing');
    await api.ask('/somewhere/else');
    // A scrape is shared for a moment: one from before the requests may be answered first.
    await expect
      .poll(async () => (await api.ask('/metrics', open)).text, { timeout: 10_000 })
      .toContain('route="/v1/operations/:id",status="404"');
    const { headers, text } = await api.ask('/metrics', open);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).not.toContain('secret-thing');
    expect(text).not.toContain('somewhere');
    expect(text).toMatch(/sluice_requests_refused_total\{code="not_found"\} [1-9]/);
    expect(text).toMatch(/sluice_queue_jobs\{queue="settlement-0",state="waiting"\} \d/);
    expect(text).toContain('sluice_accepted_backlog ');
    expect(text).toContain('sluice_event_loop_lag_seconds');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('explains every error code at the address that problems point to', async () => {
    const { body } = await api.ask('/problems', open);
    const items = body.items as readonly { code: string; type: string; status: number }[];
    expect(items.map(({ code }) => code)).toEqual(Object.keys(ERRORS));
    const { type = '' } = items.find(({ code }) => code === 'insufficient_funds') ?? {};
    expect((await api.ask(type, open)).body).toEqual({
      type: '/problems/insufficient_funds',
      code: 'insufficient_funds',
      title: 'The available balance is too small',
      status: 422,
      kind: 'rule',
      retryable: false,
      meaning: expect.stringContaining('available balance'),
      action: expect.stringContaining('new key'),
    });
    expectProblem(await api.ask('/problems/constructor', open), 404, 'not_found');
  });

  it('refuses other methods', async () => {
    const answer = await api.ask('/healthz', { ...open, method: 'DELETE' });
    expectProblem(answer, 405, 'method_not_allowed');
  });
});

describe('/internal/autoscale', () => {
  it('has every queue and an advice per pool', async () => {
    const { body } = await api.ask('/internal/autoscale', open);
    expect(body.bounds).toEqual({ min: 1, max: 8 });
    expect(body.pools).toMatchObject({
      settlement: { backlog: 0, oldestWaitSeconds: 0, recommendedReplicas: 1 },
      notification: { recommendedReplicas: 1 },
    });
    expect(body.queues).toHaveLength(QUEUES.size);
    expect(body.queues[0]).toEqual({
      queue: 'settlement-0',
      pool: 'settlement',
      waiting: 0,
      prioritised: 0,
      delayed: 0,
      due: 0,
      active: 0,
      oldestWaitSeconds: 0,
      load: 0,
      workers: expect.any(Number),
    });
  });

  it('counts the processes that consume', async () => {
    const read = async (): Promise<unknown> =>
      (await api.ask('/internal/autoscale', open)).body.pools.settlement.workers;
    await expect.poll(read, { timeout: 15_000, interval: 500 }).toBe(1);
  });

  it('keeps to the bounds that it is given', async () => {
    const { body } = await api.ask('/internal/autoscale?min=3&max=5', open);
    expect(body.pools.settlement.recommendedReplicas).toBe(3);
    expect((await api.ask('/internal/autoscale?min=0', open)).body.pools.settlement).toMatchObject({
      recommendedReplicas: 0,
    });
  });

  it.each([
    ['min=-1', 'min'],
    ['max=100000', 'max'],
    ['min=9&max=3', 'min'],
    ['replicas=3', 'replicas'],
  ])('refuses %s', async (query, parameter) => {
    const answer = await api.ask(`/internal/autoscale?${query}`, open);
    expectProblem(answer, 400, 'invalid_request');
    expect(parametersOf(answer)).toEqual([parameter]);
  });
});
