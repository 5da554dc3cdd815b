import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, expectProblem, useApi } from '../../support/api.ts';
import { type Sample, makeSample, succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });
let sample: Sample;

beforeAll(async () => {
  sample = await makeSample(api);
});

const timeOf = async (operationId: string): Promise<Date> => {
  const { body } = await api.ask(`/v1/operations/${operationId}`);
  return new Date(body.completedAt as string);
};

/** The balance as the API tells it for a time. */
async function balanceAt(walletId: string, at: Date): Promise<Answer['body']> {
  const time = encodeURIComponent(at.toISOString());
  return (await api.ask(`/v1/wallets/${walletId}/balance?at=${time}`)).body as unknown;
}

describe('users and wallets', () => {
  it('shows a user', async () => {
    const contacts = { email: 'eve@example.com', locale: 'en-GB' };
    await succeed(api, '/v1/users', { userId: 'eve@home', displayName: 'Eve', contacts });
    const { body } = await api.ask('/v1/users/eve@home');
    expect(body).toEqual({
      id: 'eve@home',
      userId: 'eve@home',
      displayName: 'Eve',
      contacts,
      status: 'active',
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      links: { self: '/v1/users/eve%40home', wallets: '/v1/users/eve%40home/wallets' },
    });
    expect((await api.ask(body.links.wallets as string)).body).toEqual({
      items: [],
      nextCursor: null,
    });
  });

  it('shows wallets with amounts as text', async () => {
    const { body } = await api.ask(`/v1/wallets/${sample.walletId}`);
    expect(body).toMatchObject({
      id: sample.walletId,
      userId: 'ann',
      currency: 'EUR',
      status: 'active',
      balance: '700',
      bonusBalance: '0',
      lockedBalance: '200',
      overdraftLimit: '0',
      available: '500',
      totalCredited: '1000',
      totalDebited: '300',
      seq: 3,
    });
    const listed = await api.ask('/v1/users/ann/wallets');
    expect(listed.body.items).toEqual([body]);
  });

  it('keeps every digit of large amounts', async () => {
    await succeed(api, '/v1/users', { userId: 'rich', wallets: [{ currency: 'EUR' }] });
    const most = '1000000000000000';
    for (let times = 0; times < 10; times += 1) {
      await succeed(api, '/v1/credits', { userId: 'rich', currency: 'EUR', amount: most });
    }
    await succeed(api, '/v1/credits', { userId: 'rich', currency: 'EUR', amount: 1 });
    const { body } = await api.ask('/v1/users/rich/wallets');
    expect(body.items[0].balance).toBe('10000000000000001');
  });

  it.each(['/v1/users/nobody', '/v1/users/nobody/wallets', '/v1/users/sys:world%230'])(
    '%s is not found',
    async (path) => {
      expectProblem(await api.ask(path), 404, 'not_found');
    },
  );
});

describe('a balance', () => {
  it('is what the wallet has now', async () => {
    const { body } = await api.ask(`/v1/wallets/${sample.walletId}/balance`);
    expect(body).toEqual({
      walletId: sample.walletId,
      userId: 'ann',
      currency: 'EUR',
      balance: '700',
      bonusBalance: '0',
      lockedBalance: '200',
      overdraftLimit: '0',
      available: '500',
      seq: 3,
    });
  });

  it('at a time is the fold of the log up to it', async () => {
    const { walletId, creditId } = sample;
    const credited = await timeOf(creditId);
    const held = await timeOf(sample.holdId.replace('hld_', 'op_'));
    const paid = await timeOf(sample.transferId.replace('trf_', 'op_'));
    expect(await balanceAt(walletId, new Date(credited.getTime() - 1))).toMatchObject({
      balance: '0',
      seq: 0,
    });
    expect(await balanceAt(walletId, credited)).toMatchObject({ balance: '1000', seq: 1 });
    expect(await balanceAt(walletId, paid)).toMatchObject({ balance: '700', lockedBalance: '0' });
    expect(await balanceAt(walletId, held)).toMatchObject({
      balance: '700',
      lockedBalance: '200',
      at: held.toISOString(),
      seq: 3,
    });
    expect(await balanceAt(walletId, new Date('2099-01-01'))).toMatchObject({ seq: 3 });
  });

  it('at any time agrees with a fold of the entries, bonus and holds included', async () => {
    await succeed(api, '/v1/users', { userId: 'mixed', wallets: [{ currency: 'EUR' }] });
    const money = { userId: 'mixed', currency: 'EUR' };
    const steps: readonly (readonly [string, object])[] = [
      ['/v1/credits', { ...money, amount: 50 }],
      ['/v1/bonuses', { ...money, amount: 7 }],
      ['/v1/holds', { ...money, amount: 20 }],
      ['/v1/debits', { ...money, amount: 5, fee: 1 }],
      ['/v1/credits', { ...money, amount: 9 }],
    ];
    for (const [path, input] of steps) await succeed(api, path, input);
    const { body: wallets } = await api.ask('/v1/users/mixed/wallets');
    const walletId = wallets.items[0].id as string;
    const entries = await api.db.collection('transactions').find({ walletId }).toArray();
    const times = [...new Set(entries.map((entry) => (entry['createdAt'] as Date).getTime()))];
    for (const time of times) {
      const sums = { real: 0, bonus: 0, locked: 0 };
      for (const entry of entries) {
        if ((entry['createdAt'] as Date).getTime() > time) continue;
        const type = entry['balanceType'] as keyof typeof sums;
        sums[type] += Number(entry['amount']) * (entry['direction'] === 'credit' ? 1 : -1);
      }
      expect(await balanceAt(walletId, new Date(time))).toMatchObject({
        balance: String(sums.real),
        bonusBalance: String(sums.bonus),
        lockedBalance: String(sums.locked),
      });
    }
    expect(times).toHaveLength(steps.length);
  });
});

describe('entries of one user', () => {
  it("are listed by userId, page by page, and nobody else's are", async () => {
    const all = await api.ask('/v1/transactions?limit=200');
    const items = all.body.items as readonly { id: string; userId: string }[];
    const mine = items.filter(({ userId }) => userId === 'ann').map(({ id }) => id);
    expect(mine.length).toBeGreaterThan(1);
    expect(mine.length).toBeLessThan(items.length);
    const first = await api.ask('/v1/transactions?userId=ann&limit=1');
    const { items: some, nextCursor } = first.body as {
      items: { id: string }[];
      nextCursor: string;
    };
    const rest = await api.ask(`/v1/transactions?userId=ann&limit=200&cursor=${nextCursor}`);
    const listed = [...some, ...(rest.body.items as { id: string }[])].map(({ id }) => id);
    expect(listed).toEqual(mine);
    const refused = await api.ask('/v1/transactions?user=ann');
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain('userId');
  });
});

describe('lists', () => {
  const cases = [
    { path: '/v1/transactions?limit=2', count: 10 },
    { path: '/v1/transfers?limit=1', count: 1 },
    { path: '/v1/holds?limit=1', count: 1 },
  ];
  it.each(cases)('$path goes through everything once', async ({ path }) => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const answer: Answer = await api.ask(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...(answer.body.items as { id: string }[]).map(({ id }) => id));
      cursor = answer.body.nextCursor as string | null;
    }
    const name = path.split(/[/?]/)[2] ?? '';
    expect(seen).toHaveLength(await api.db.collection(name).countDocuments());
    expect([...seen].sort((a, b) => (a < b ? 1 : -1))).toEqual(seen);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('the entries of a wallet, newest first, with a cursor of that wallet only', async () => {
    const { walletId } = sample;
    const first = await api.ask(`/v1/wallets/${walletId}/transactions?limit=2`);
    expect(first.body.items).toMatchObject([
      { seq: 3, balanceType: 'locked', direction: 'credit', amount: '200', holdId: sample.holdId },
      { seq: 2, balanceType: 'real', direction: 'debit', amount: '300', balanceAfter: '700' },
    ]);
    const cursor = String(first.body.nextCursor);
    const second = await api.ask(`/v1/wallets/${walletId}/transactions?limit=2&cursor=${cursor}`);
    expect(second.body).toMatchObject({ items: [{ seq: 1, amount: '1000' }], nextCursor: null });
    const { body } = await api.ask('/v1/users/bob/wallets');
    const other = await api.ask(`/v1/wallets/${body.items[0].id}/transactions?cursor=${cursor}`);
    expectProblem(other, 400, 'invalid_cursor');
  });

  it('transfers by payer or payee', async () => {
    const paid = await api.ask('/v1/transfers?fromUserId=ann');
    expect(paid.body.items).toMatchObject([
      { id: sample.transferId, fromUserId: 'ann', toUserId: 'bob', amount: '300', fee: '0' },
    ]);
    expect((await api.ask('/v1/transfers?toUserId=ann')).body.items).toEqual([]);
    const one = await api.ask(`/v1/transfers/${sample.transferId}`);
    expect(one.body).toEqual(paid.body.items[0]);
  });

  it('holds by user and status', async () => {
    const held = await api.ask('/v1/holds?userId=ann&status=open');
    expect(held.body.items).toMatchObject([{ id: sample.holdId, amount: '200', remaining: '200' }]);
    expect((await api.ask('/v1/holds?userId=ann&status=released')).body.items).toEqual([]);
    const one = await api.ask(`/v1/holds/${sample.holdId}`);
    expect(one.body).toEqual(held.body.items[0]);
  });

  it('system wallets, their stripes added up, are the other side of everything', async () => {
    const { body } = await api.ask('/v1/system-wallets');
    const systems = body.items as { name: string; currency: string; balance: string }[];
    const sumOf = async (): Promise<bigint> => {
      const wallets = await api.db.collection('wallets').find({}).toArray();
      return wallets
        .filter((wallet) => !String(wallet['userId']).startsWith('sys:'))
        .reduce((sum, wallet) => sum + BigInt(String(wallet['balance'])), 0n);
    };
    const theirs = systems.reduce((sum, { balance }) => sum + BigInt(balance), 0n);
    expect(theirs).toBe(-(await sumOf()));
    expect(systems.map(({ name }) => name)).toContain('world');
  });
});
