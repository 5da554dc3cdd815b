import { describe, expect, it } from 'vitest';
import { says, startScripted } from '../../support/client/scripted-server.ts';

/** A list of so many users, or one that goes on growing by one each time that its end is asked for. */
async function serverOf(total: number, grows = false) {
  let size = total;
  return startScripted((response, seen) => {
    const { searchParams: query } = new URL(seen.url, 'http://x');
    const limit = Number(query.get('limit'));
    const from = Number(query.get('cursor') ?? '0');
    const items = Array.from({ length: Math.max(0, Math.min(limit, size - from)) }, (_, index) => ({
      id: `u${from + index}`,
    }));
    const isEnd = from + items.length >= size;
    if (isEnd && grows && items.length === 0) size += 1;
    const isFollowed = query.get('order') === 'asc';
    const nextCursor = isEnd && !isFollowed ? null : String(from + items.length);
    says.json(200, { items, nextCursor })(response, seen);
  });
}

const idsOf = (users: readonly { readonly id: string }[]) => users.map(({ id }) => id);
const upTo = (end: number, from = 0) =>
  Array.from({ length: end - from }, (_, index) => `u${from + index}`);

describe('a list', () => {
  it('reads all pages, and no more of them than are asked for', async () => {
    const server = await serverOf(25);
    const all = await server.client().users.list({ pageSize: 10 }).toArray();
    expect(idsOf(all)).toEqual(upTo(25));
    expect(server.seen.length).toBe(3);
    const users = server.client().users.list({ pageSize: 10 })[Symbol.asyncIterator]();
    expect((await users.next()).value).toEqual({ id: 'u0' });
    expect(server.seen.length).toBe(4);
  });
  it('ends at its limit, and its cursor goes on behind it', async () => {
    const server = await serverOf(25);
    const first = server.client().users.list({ limit: 13, pageSize: 10 });
    expect(idsOf(await first.toArray())).toEqual(upTo(13));
    const rest = server.client().users.list({ ...(first.cursor && { cursor: first.cursor }) });
    expect(idsOf(await rest.toArray())).toEqual(upTo(25, 13));
    expect(await server.client().users.list({ limit: 0 }).toArray()).toEqual([]);
  });
  it('that was left in the middle of a page goes on at the page: nothing is missed', async () => {
    const server = await serverOf(25);
    const list = server.client().users.list({ pageSize: 10 });
    const got: string[] = [];
    for await (const { id } of list) if (got.push(id) === 14) break;
    expect(list.cursor).toBe('10');
    const rest = await server.client().users.list({ cursor: list.cursor }).toArray();
    expect(idsOf(rest)).toEqual(upTo(25, 10));
  });
  it('gives pages', async () => {
    const server = await serverOf(5);
    const list = server.client().users.list({ pageSize: 3 });
    const sizes: number[] = [];
    for await (const { items } of list.pages()) sizes.push(items.length);
    expect(sizes).toEqual([3, 2]);
    expect((await list.nextPage()).items).toEqual([]);
    const empty = await serverOf(0);
    const page = await empty.client().users.list().nextPage();
    expect(page).toEqual({ items: [], nextCursor: null });
  });
  it('oldest first ends where there is nothing yet, and can be followed from there', async () => {
    const server = await serverOf(5, true);
    const list = server.client().transactions.list({ order: 'asc', pageSize: 5 });
    expect(idsOf(await list.toArray())).toEqual(upTo(5));
    expect(list.cursor).toBe('5');
    const stop = new AbortController();
    const options = { order: 'asc', follow: true, cursor: list.cursor, pollMsMax: 5 } as const;
    const got: string[] = [];
    const follow = async (): Promise<void> => {
      const { signal } = stop;
      for await (const { id } of server.client().transactions.list({ ...options, signal })) {
        if (got.push(id) === 3) stop.abort();
      }
    };
    await expect(follow()).rejects.toMatchObject({ code: 'aborted' });
    expect(got).toEqual(upTo(8, 5));
  });
  it.each([{ pageSize: 0 }, { pageSize: 1_001 }, { limit: -1 }, { follow: true }])(
    'is refused with %o',
    async (options) => {
      const { transactions } = (await serverOf(1)).client();
      const list = () => transactions.list(options);
      expect(list).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );
});

describe('waitFor', () => {
  const operation = (status: string, more = {}) => says.json(200, { id: 'op_1', status, ...more });

  it('asks again until it is done, and gives the outcome', async () => {
    const server = await startScripted(
      operation('accepted'),
      operation('running'),
      operation('rejected'),
    );
    expect(await server.client().waitFor('op_1')).toMatchObject({ outcome: 'rejected' });
    expect(server.seen.map(({ headers }) => headers['prefer'])).toEqual(Array(3).fill('wait=30'));
  });
  it('ends when its time is over, with what is known', async () => {
    const server = await startScripted(operation('running'));
    const outcome = await server.client().waitFor('op_1', { timeoutMs: 100 });
    expect(outcome).toMatchObject({ outcome: 'pending', operation: { status: 'running' } });
    expect(server.seen.length).toBeLessThan(30);
  });
  it('says what a person is asked for, or waits through it', async () => {
    const waitingFor = { signal: 'risk-decision', step: 'risk' };
    const waiting = operation('waiting', { waitingFor });
    const server = await startScripted(waiting, waiting, operation('succeeded'));
    const client = server.client();
    expect(await client.waitFor('op_1')).toMatchObject({ outcome: 'waiting', waitingFor });
    const through = await client.waitFor('op_1', { throughSignals: true });
    expect(through).toMatchObject({ outcome: 'succeeded' });
  });
});
