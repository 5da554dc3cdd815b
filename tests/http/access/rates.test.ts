import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, freshKey, useApi } from '../../support/api.ts';
import { makeUsers } from '../../support/http-fixtures.ts';
import { follow } from '../../support/stream-client.ts';

const api = useApi({ worker: true });
const hour = 3_600;
const credit = { userId: 'ann', currency: 'EUR', amount: '1' };

/** A tenant with a plan, and a key of it. */
async function tenantWith(tenantId: string, plan: object): Promise<string> {
  await api.newTenant(tenantId);
  const changed = await api.ask(`/v1/tenants/${tenantId}`, { method: 'PATCH', body: { plan } });
  expect(changed).toMatchObject({ status: 200, body: { plan } });
  return api.newKey({ tenantId, scopes: ['admin'] });
}

beforeAll(() => makeUsers(api));

describe('a tenant without a plan', () => {
  it('is not limited, and is told no limits', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.post('/v1/credits', credit)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(answers[0]?.headers.get('ratelimit')).toBeNull();
  });
});

describe('a tenant with a plan', () => {
  it('is told what is left, and refused what is beyond it without any effect', async () => {
    const write = { tenant: { quota: 5, windowSeconds: hour } };
    const key = await tenantWith('five', { write });
    const made = await api.post('/v1/users', { userId: 'u' }, { key });
    expect(made.status).toBe(202);
    expect(made.headers.get('ratelimit-policy')).toBe('"tenant-write";q=5;w=3600');
    expect(made.headers.get('ratelimit')).toBe('"tenant-write";r=4;t=720');
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => api.post('/v1/operations', {}, { key })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(4);
    expect(statuses.filter((status) => status === 429)).toHaveLength(8);
    const before = await api.operations();
    const refused = await api.post('/v1/credits', credit, { key });
    expectProblem(refused, 429, 'rate_limited');
    expect(refused.headers.get('ratelimit')).toBe('"tenant-write";r=0;t=3600');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(600);
    expect(await api.operations()).toEqual(before);
    expect((await api.ask('/v1/operations', { key })).status).toBe(200);
    const other = await api.newKey({ tenantId: 'five', scopes: ['admin'] });
    expectProblem(await api.post('/v1/credits', credit, { key: other }), 429, 'rate_limited');
  });

  it('pays for every item of a bulk, and for every part of a batch', async () => {
    const write = { tenant: { quota: 20, windowSeconds: hour } };
    const key = await tenantWith('bulky', { write });
    const item = () => ({ type: 'wallet.credit', input: credit, idempotencyKey: freshKey() });
    const items = (count: number) => Array.from({ length: count }, item);
    const bulk = await api.post('/v1/operations/bulk', items(8), { key });
    expect(bulk.headers.get('ratelimit')).toContain('r=12;');
    const { type, input } = item();
    const operations = Array.from({ length: 5 }, () => ({ type, input }));
    const batch = await api.post(
      '/v1/operations',
      { type: 'batch', input: { operations } },
      { key },
    );
    expect(batch.headers.get('ratelimit')).toContain('r=7;');
    const before = await api.operations();
    const tooMany = await api.post('/v1/operations/bulk', items(8), { key });
    expectProblem(tooMany, 429, 'rate_limited');
    expect(await api.operations()).toEqual(before);
  });

  it('has streams that take nothing of it', async () => {
    const read = { tenant: { quota: 2, windowSeconds: hour } };
    const key = await tenantWith('watching', { read });
    const streams = [];
    for (let turn = 0; turn < 5; turn += 1) streams.push(await follow(`${api.url}/v1/stream`, key));
    expect(streams.map((stream) => stream.isOpen())).toEqual(Array(5).fill(true));
    expect((await api.ask('/v1/operations', { key })).status).toBe(200);
    for (const stream of streams) stream.close();
  });

  it('has as much accepted and not begun as its plan says', async () => {
    const key = await tenantWith('patient', { backlogMax: 3 });
    const later = { ...credit, userId: 'nobody' };
    const settle = async (): Promise<number> =>
      (await api.post('/v1/credits', later, { key })).status;
    const statuses = await Promise.all(Array.from({ length: 10 }, settle));
    expect(statuses.filter((status) => status === 202)).toHaveLength(3);
    expect(statuses.filter((status) => status === 503)).toHaveLength(7);
    expect((await api.post('/v1/credits', credit)).status).toBe(202);
    await expect.poll(settle, { timeout: 15_000, interval: 250 }).toBe(202);
  });
});
