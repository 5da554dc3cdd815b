import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runSluice } from '../../../cli/program.ts';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import { type ApiUnderTest, expectProblem, openApi, useApi } from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { startOwnRedis } from '../../support/redis-server.ts';

const open = { key: null } as const;

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

async function findingsOf(api: ApiUnderTest): Promise<ReadonlyMap<string, Finding>> {
  const { status, body } = await api.ask('/internal/health-report', open);
  expect(status).toBe(200);
  return new Map((body.findings as Finding[]).map((finding) => [finding.check, finding]));
}

const becomes = async (api: ApiUnderTest, check: string, verdict: string): Promise<Finding> => {
  const read = async (): Promise<unknown> => (await findingsOf(api)).get(check)?.verdict;
  await expect.poll(read, { timeout: 20_000, interval: 100 }).toBe(verdict);
  const found = (await findingsOf(api)).get(check);
  if (found === undefined) throw new Error(`no ${check}`);
  return found;
};

async function sluice(api: ApiUnderTest, ...args: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = -1;
  await runSluice([...args, '--url', api.url], {
    stdin: Readable.from([]),
    ...{ stdout, stderr, env: {}, dev: undefined },
    exit: (given) => {
      code = given;
    },
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('GET /internal/health-report', () => {
  const api = useApi({ sagas: true });

  it('is well while everything runs, and says so to the CLI', async () => {
    await succeed(api, '/v1/users', { userId: 'ann', wallets: [{ currency: 'EUR' }] });
    await succeed(api, '/v1/credits', { userId: 'ann', currency: 'EUR', amount: 700 });
    const read = async (): Promise<unknown> => (await sluice(api, 'health')).code;
    await expect.poll(read, { timeout: 20_000, interval: 200 }).toBe(0);
    const found = await findingsOf(api);
    expect(found.get('entries-balance')?.evidence).toMatchObject({ operations: 1, unbalanced: 0 });
    expect(found.get('wallets-agree')?.evidence).toMatchObject({ disagreeing: 0 });
    expect((await sluice(api, 'health', '--all')).out).toContain('All 8 lanes have an owner');
    const { verdict } = JSON.parse((await sluice(api, 'health', '--json')).out) as Finding;
    expect(['ok', 'degraded']).toContain(verdict); // the machine of the tests may be busy
    const top = await sluice(api, 'top', '--once');
    expect([0, 1]).toContain(top.code);
    expect(top.out).toMatch(/settlement-0 +\d/);
    expect(top.out).toMatch(/sluice top .* (OK|DEGRADED)$/m);
  });

  it('reads as Markdown, and takes no other form', async () => {
    const answer = await api.ask('/internal/health-report?format=markdown', open);
    expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(answer.text).toMatch(/^# Health: /);
    for (const query of ['format=pdf', 'fromat=json', 'format=json&format=json']) {
      const refused = await api.ask(`/internal/health-report?${query}`, open);
      expectProblem(refused, 400, 'invalid_request');
    }
  });

  it('finds an operation that waits for a person', async () => {
    const { body } = await api.post('/v1/credits', { userId: 'ann', currency: 'EUR', amount: 1 });
    await api.db
      .collection<{ _id: string }>('operations')
      .updateOne({ _id: body.id }, { $set: { status: 'needs_attention' } });
    expect((await becomes(api, 'needs-attention', 'degraded')).evidence).toEqual({ operations: 1 });
    expect((await sluice(api, 'health')).code).toBe(1);
  });

  it('finds money that came from nowhere', async () => {
    const entries = api.db.collection('transactions');
    const { modifiedCount } = await entries.updateOne(
      { direction: 'credit', amount: { $gt: 0 } },
      { $inc: { amount: 1 } },
    );
    expect(modifiedCount).toBe(1);
    const found = await becomes(api, 'entries-balance', 'critical');
    expect(found.evidence).toMatchObject({ unbalanced: 1 });
    await api.db.collection('wallets').updateOne({ userId: 'ann' }, { $inc: { balance: 1 } });
    expect((await becomes(api, 'wallets-agree', 'critical')).evidence).toMatchObject({
      disagreeing: 1,
    });
    expect((await sluice(api, 'health')).code).toBe(2);
  });
});

describe('without workers', () => {
  const api = useApi();

  it('nobody settles, nobody sweeps, and no lane has an owner', async () => {
    const found = await findingsOf(api);
    for (const check of ['workers', 'lanes', 'recovery']) {
      expect(found.get(check)?.verdict, check).toBe('critical');
    }
  });

  it('one that sweeps is seen by its lease', async () => {
    await createLeaseStore(api.db).hold('sweep', 'w', 15_000);
    await becomes(api, 'recovery', 'ok');
    await api.db
      .collection<{ _id: string }>('leases')
      .updateOne({ _id: 'sweep' }, { $set: { until: new Date(Date.now() - 20_000) } });
    await becomes(api, 'recovery', 'degraded');
  });
});

describe('with sources that are away', () => {
  it('answers within two seconds and says what nobody knows', async () => {
    const redis = await startOwnRedis();
    onTestFinished(() => redis.close());
    const api = await openApi(nameOfTest(), { env: { REDIS_URL: redis.url } });
    onTestFinished(() => api.close());
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await becomes(api, 'redis-policy', 'critical');
    await redis.stop();
    await becomes(api, 'redis-memory', 'unknown');
    await api.platform.mongo.close();
    await becomes(api, 'entries-balance', 'unknown');
    const startedMs = performance.now();
    const { body } = await api.ask('/internal/health-report', open);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(body).toMatchObject({ verdict: 'critical', analysers: { flow: 'unknown' } });
  });
});
