import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { until } from '../../support/wait.ts';

const api = useApi({ sagas: true });

beforeAll(async () => {
  for (const userId of ['ann', 'bob']) {
    await succeed(api, '/v1/users', { userId, wallets: [{ currency: 'EUR' }] });
    await succeed(api, '/v1/credits', { userId, currency: 'EUR', amount: 10_000 });
  }
});

const DAY_MS = 86_400_000;

interface Row {
  readonly id: string;
  readonly operationId: string;
  readonly createdAt: string;
}

interface Page {
  readonly items: readonly Row[];
  readonly nextCursor: string | null;
}

const pageOf = async (path: string, query: string): Promise<Page> =>
  (await api.ask(`${path}?${query}`)).body as Page;

const onward = ({ nextCursor }: Page): string => `limit=2&cursor=${nextCursor ?? ''}`;

/** Its day has come. */
const isDue = (id: string) =>
  api.db
    .collection<{ _id: string }>('operations')
    .updateOne({ _id: id }, { $set: { runAt: new Date(), nextCheckAt: new Date() } });

const transfer = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 };
const hold = { userId: 'ann', currency: 'EUR', amount: 1 };

describe('a scheduled operation that settles while a list is read', () => {
  const cases = [
    { path: '/v1/transactions', type: 'transfer', input: transfer, alias: '/v1/transfers' },
    { path: '/v1/transfers', type: 'transfer', input: transfer, alias: '/v1/transfers' },
    { path: '/v1/holds', type: 'hold.place', input: hold, alias: '/v1/holds' },
  ];
  it.each(cases)('stands at the head of $path, not far behind', async ({ path, ...made }) => {
    const runAt = new Date(Date.now() + DAY_MS).toISOString();
    const { type, input, alias } = made;
    const scheduled = await api.post('/v1/operations', { type, input, runAt });
    expect(scheduled.status).toBe(202);
    // Accepted later, settled before it.
    for (let count = 0; count < 4; count += 1) await succeed(api, alias, input);
    const first = await pageOf(path, 'limit=2');
    const id = scheduled.body.id as string;
    await isDue(id);
    await until(async () => {
      const { body } = await api.ask(`/v1/operations/${id}`);
      return body.status === 'succeeded';
    }, 'the scheduled operation has settled');
    const [head] = (await pageOf(path, 'limit=2')).items;
    expect(head?.operationId).toBe(id);
    // Whoever reads on meets what was there when it began, once, from the newest to the oldest.
    const seen = [...first.items];
    for (let page = first; page.nextCursor !== null;) {
      page = await pageOf(path, onward(page));
      seen.push(...page.items);
    }
    expect(seen.map(({ operationId }) => operationId)).not.toContain(id);
    const times = seen.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
    expect(new Set(seen.map((row) => row.id)).size).toBe(seen.length);
  });
});
