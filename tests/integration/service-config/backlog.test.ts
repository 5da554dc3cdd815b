import { describe, expect, it } from 'vitest';
import { expectProblem, useApi } from '../../support/api.ts';
import { sluiceOn } from '../../support/sluice-command.ts';

/** Nobody settles here. */
const api = useApi();
const WHY = ['--reason', 'a test'] as const;

async function sluice(...args: readonly string[]): Promise<void> {
  const { code, err } = await sluiceOn(api.platform, 'config', ...args, ...WHY);
  expect({ code, err }).toEqual({ code: 0, err: '' });
}

const credit = () => api.post('/v1/credits', { userId: 'ann', currency: 'EUR', amount: '1' });
const status = async () => (await credit()).status;

describe('a backlog', () => {
  it('may be made smaller and larger while requests come', async () => {
    for (let count = 0; count < 3; count += 1) expect(await status()).toBe(202);
    // How often it is counted depends on how long that takes, and the first time takes long.
    const { backlog } = api.platform.metrics;
    const counted = async () => (await backlog.get()).values[0]?.value;
    await expect.poll(counted, { timeout: 30_000 }).toBe(3);
    await sluice('set', 'ingest.backlogMax=2', 'ingest.backlogSampleMs=100');
    await expect.poll(status, { timeout: 5_000 }).toBe(503);
    expectProblem(await credit(), 503, 'backlog_full');
    await sluice('rollback', '0');
    await expect.poll(status, { timeout: 5_000 }).toBe(202);
  });

  it('may be held down for one tenant alone', async () => {
    await api.newTenant('calm');
    const key = await api.newKey({ tenantId: 'calm', scopes: ['operations:write'] });
    const scope = ['--tenant', 'default'] as const;
    await sluice('set', 'ingest.tenantBacklogMax=1', ...scope);
    await expect.poll(status, { timeout: 5_000 }).toBe(503);
    const other = { userId: 'bob', currency: 'EUR', amount: '1' };
    expect((await api.post('/v1/credits', other, { key })).status).toBe(202);
    await sluice('rollback', '0', ...scope);
    await expect.poll(status, { timeout: 5_000 }).toBe(202);
  });
});
