import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, useApi } from '../../support/api.ts';
import { type Sample, makeSample, succeed } from '../../support/http-fixtures.ts';
import { expectSoundLedger } from '../../support/platform.ts';

const api = useApi({ worker: true });
let sample: Sample;
let balance = '';

beforeAll(async () => {
  sample = await makeSample(api);
  balance = `/v1/wallets/${sample.walletId}/balance`;
});

const money = (amount: number) => ({ userId: 'ann', currency: 'EUR', amount });
const seqOf = async (path: string): Promise<number> => (await api.ask(path)).body.seq as number;

describe('a balance from a cache', () => {
  it('says where it came from, and is the same as any other', async () => {
    const cached = await api.ask(`${balance}?consistency=cached`);
    expect(cached.headers.get('x-read-from')).toMatch(/^(memory|redis|primary)$/);
    const again = await api.ask(`${balance}?consistency=cached`);
    expect(again.headers.get('x-read-from')).toBe('memory');
    const strong = await api.ask(`${balance}?consistency=strong`);
    expect(strong.headers.get('x-read-from')).toBeNull();
    expect([cached.body, again.body]).toEqual([strong.body, strong.body]);
    const wallet = `/v1/wallets/${sample.walletId}`;
    const shown = await api.ask(`${wallet}?consistency=cached`);
    expect(shown.body).toEqual((await api.ask(wallet)).body);
  });

  it('stays hidden from another tenant, cached or not', async () => {
    await api.newTenant('curious');
    const key = await api.newKey({ tenantId: 'curious', scopes: ['ledger:read'] });
    await api.ask(`${balance}?consistency=cached`);
    const answers = await Promise.all(
      ['', '?consistency=cached', '?consistency=strong'].flatMap((query) => [
        api.ask(`${balance}${query}`, { key }),
        api.ask(`${balance}${query}`),
      ]),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 200, 404, 200, 404, 200]);
  });

  it.each([
    ['?consistency=eventual', 'consistency'],
    ['?consistency=cached&consistency=strong', 'consistency'],
    ['?consistency=cached&at=2026-01-01T00:00:00Z', 'at'],
    [`?consistency=cached&after=op_${'0'.repeat(32)}`, 'after'],
    ['?after=soon', 'after'],
    ['?after=', 'after'],
  ])('%s is refused', async (query, name) => {
    const answer = await api.ask(`${balance}${query}`);
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors[0].parameter).toBe(name);
  });

  it('shows what settled ten seconds ago, whatever is done to the cache meanwhile', async () => {
    const { redis, env } = api.platform;
    const client = redis.open('cache', { name: 'vandal', whenAway: 'wait' });
    const name = `${redis.prefix}-${env.MONGO_DB}-cache:wallet:default:${sample.walletId}`;
    const start = (await api.ask(balance)).body;
    let isOver = false;
    const vandal = async (): Promise<void> => {
      for (let turn = 0; !isOver; turn += 1) {
        const text = (await client.get(name)) ?? '';
        const spoilt = ['garbage', text.replace(/\|(\d+)\|/, '|9$1|'), ''][turn % 3] ?? '';
        await (spoilt === '' ? client.del(name) : client.set(name, spoilt));
      }
    };
    const wrong: unknown[] = [];
    const reader = async (): Promise<void> => {
      while (!isOver) {
        const { body } = await api.ask(`${balance}?consistency=cached`);
        const grown = BigInt(body.balance as string) - BigInt(start.balance as string);
        // One credit of 5 for each number: anything else was never the case.
        if (grown !== BigInt(((body.seq as number) - (start.seq as number)) * 5)) wrong.push(body);
      }
    };
    const background = Promise.all([vandal(), reader(), reader()]);
    for (let turn = 1; turn <= 20; turn += 1) {
      await succeed(api, '/v1/credits', money(5));
      // Who got the answer and asks without a word about caches sees it.
      expect(await seqOf(balance)).toBe((start.seq as number) + turn);
    }
    isOver = true;
    await background;
    expect(wrong).toEqual([]);
    const last = (start.seq as number) + 20;
    const cached = () => seqOf(`${balance}?consistency=cached`);
    await expect.poll(cached, { timeout: 12_000 }).toBe(last);
    await expectSoundLedger(api);
  }, 30_000);
});

describe('a read after an operation', () => {
  it('has it, however fast it comes', async () => {
    const before = await seqOf(balance);
    for (let turn = 1; turn <= 5; turn += 1) {
      const { body } = await api.post('/v1/credits', money(1));
      const after = `after=${body.id as string}`;
      expect(await seqOf(`${balance}?${after}`)).toBe(before + turn);
      const [wallet, wallets, entries, own, operations] = await Promise.all(
        [
          `/v1/wallets/${sample.walletId}?${after}`,
          `/v1/users/ann/wallets?${after}`,
          `/v1/transactions?userId=ann&limit=1&${after}`,
          `/v1/wallets/${sample.walletId}/transactions?limit=1&${after}`,
          `/v1/operations?type=wallet.credit&limit=1&${after}`,
        ].map((path) => api.ask(path)),
      );
      expect(wallet?.body.seq).toBe(before + turn);
      expect(wallets?.body.items[0].seq).toBe(before + turn);
      expect(entries?.body.items[0].operationId).toBe(body.id);
      expect(own?.body.items[0].operationId).toBe(body.id);
      expect(operations?.body.items[0]).toMatchObject({ id: body.id, status: 'succeeded' });
    }
  });

  it('of one that is not there is not found, of another tenant neither', async () => {
    await api.newTenant('other');
    const key = await api.newKey({ tenantId: 'other', scopes: ['ledger:read'] });
    const unknown = `op_${'1'.repeat(32)}`;
    expectProblem(await api.ask(`${balance}?after=${unknown}`), 404, 'not_found');
    const lists = ['/v1/transactions', '/v1/transfers', '/v1/holds', '/v1/operations'];
    for (const path of lists) {
      const answer = await api.ask(`${path}?after=${sample.creditId}`, { key });
      expectProblem(answer, 404, 'not_found');
      expect((await api.ask(`${path}?after=${sample.creditId}`)).status).toBe(200);
    }
  });

  it('of one that does not settle in time is a conflict, no older answer', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await api.post('/v1/operations', {
      ...{ type: 'wallet.credit', input: money(1) },
      runAt: later,
    });
    const answer = await api.ask(`${balance}?after=${body.id as string}`, {
      headers: { prefer: 'wait=1' },
    });
    expectProblem(answer, 409, 'operation_open');
    expect(answer.body.operationId).toBe(body.id);
  });

  it.each(['/v1/transactions', '/v1/transfers', '/v1/holds'])(
    'of %s with the oldest first is refused: its end comes later',
    async (path) => {
      const answer = await api.ask(`${path}?order=asc&after=${sample.creditId}`);
      expectProblem(answer, 400, 'invalid_request');
    },
  );
});
