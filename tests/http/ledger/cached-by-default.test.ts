import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '../../support/api.ts';
import { type Sample, makeSample, succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true, env: { READ_CONSISTENCY: 'cached' } });
let sample: Sample;

beforeAll(async () => {
  sample = await makeSample(api);
});

describe('an installation whose balances come from the cache unless asked otherwise', () => {
  it('writes what settles through, though nobody reads', async () => {
    const { redis, env } = api.platform;
    const client = redis.open('cache', { name: 'reader', whenAway: 'wait' });
    const name = `${redis.prefix}-${env.MONGO_DB}-cache:wallet:default:${sample.walletId}`;
    const path = `/v1/wallets/${sample.walletId}/balance`;
    const { body: before } = await api.ask(`${path}?consistency=strong`);
    await client.del(name);
    await succeed(api, '/v1/credits', { userId: 'ann', currency: 'EUR', amount: 5 });
    const seq = (before.seq as number) + 1;
    await expect.poll(() => client.get(name)).toContain(`|${seq}|`);
    expect(await client.pttl(name)).toBeGreaterThan(0);
    await expect.poll(async () => (await api.ask(path)).body.seq as number).toBe(seq);
  });
});
