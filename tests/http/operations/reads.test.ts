import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, expectProblem, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });

interface Item {
  readonly id: string;
  readonly status: string;
}
const idsOf = ({ body }: Answer): readonly string[] =>
  (body.items as readonly Item[]).map(({ id }) => id);

/** Follows the cursors to the end. */
async function walk(path: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  let cursor: string | null = '';
  let pages = 0;
  while (cursor !== null) {
    const answer: Answer = await api.ask(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(answer.status).toBe(200);
    ids.push(...idsOf(answer));
    cursor = answer.body.nextCursor as string | null;
    pages += 1;
  }
  return { ids, pages };
}

const made: string[] = [];
let from = '';

beforeAll(async () => {
  await succeed(api, '/v1/users', { userId: 'list', wallets: [{ currency: 'EUR' }] });
  from = new Date().toISOString();
  const results = await api.post(
    '/v1/operations/bulk',
    Array.from({ length: 25 }, (_, index) => ({
      type: index % 5 === 0 ? 'wallet.debit' : 'wallet.credit',
      idempotencyKey: `list-${index}`,
      input: { userId: 'list', currency: 'EUR', amount: index % 5 === 0 ? 1_000_000 : 1 },
      metadata: { group: `g${index % 2}`, row: String(index) },
    })),
    { headers: { prefer: 'wait=20' } },
  );
  for (const { operation } of results.body.results as { operation: Item }[]) {
    made.push(operation.id);
  }
});

describe('GET /v1/operations', () => {
  it('lists newest first, page by page, each once', async () => {
    const { ids, pages } = await walk('/v1/operations?limit=7');
    expect(pages).toBe(4);
    expect(ids.slice(0, 25)).toEqual([...made].reverse());
    expect(new Set(ids).size).toBe(26);
  });

  it('keeps its place while new ones come in', async () => {
    const first = await api.ask('/v1/operations?limit=5');
    await succeed(api, '/v1/users', { userId: 'late' });
    const second = await api.ask(`/v1/operations?limit=5&cursor=${first.body.nextCursor}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual([...made].reverse().slice(0, 10));
  });

  it('filters by type, status and metadata', async () => {
    const rejected = await api.ask('/v1/operations?status=rejected&limit=200');
    expect(idsOf(rejected)).toEqual(made.filter((_id, index) => index % 5 === 0).reverse());
    const typed = await api.ask('/v1/operations?type=wallet.debit');
    expect(idsOf(typed)).toEqual(idsOf(rejected));
    const grouped = await api.ask('/v1/operations?metadata.group=g1&type=wallet.debit');
    expect(idsOf(grouped)).toEqual([made[15], made[5]]);
    const row = await api.ask('/v1/operations?metadata.group=g1&metadata.row=3');
    expect(idsOf(row)).toEqual([made[3]]);
    expect(idsOf(await api.ask('/v1/operations?metadata.group=g2'))).toEqual([]);
    expect(idsOf(await api.ask('/v1/operations?status=accepted'))).toEqual([]);
    expect(idsOf(await api.ask('/v1/operations?status=succeeded&limit=3'))).toHaveLength(3);
  });

  it('filters by the user whom a row names, as the one it is about, who pays or who is paid', async () => {
    const own = await walk('/v1/operations?userId=list&limit=7');
    expect(own.ids.slice(0, 25)).toEqual([...made].reverse());
    expect(own.ids).toHaveLength(26); // and the creation
    const narrowed = await api.ask(
      '/v1/operations?userId=list&type=wallet.debit&metadata.group=g1',
    );
    expect(idsOf(narrowed)).toEqual([made[15], made[5]]);
    const debits = await api.ask('/v1/operations?userId=list&status=rejected');
    expect(idsOf(debits)).toEqual(made.filter((_id, index) => index % 5 === 0).reverse());
    const wallets = [{ currency: 'EUR' }];
    await succeed(api, '/v1/users', { userId: 'paid', wallets });
    const pay = { fromUserId: 'list', toUserId: 'paid', currency: 'EUR', amount: 1 };
    await succeed(api, '/v1/transfers', pay);
    const paid = await api.ask('/v1/operations?userId=paid&type=transfer');
    expect(paid.body.items).toHaveLength(1);
    const paying = await api.ask('/v1/operations?userId=list&type=transfer');
    expect(idsOf(paying)).toEqual(idsOf(paid));
    expect(idsOf(await api.ask('/v1/operations?userId=nobody'))).toEqual([]);
  });

  it('names what it knows when it is asked for something else', async () => {
    const answer = await api.ask('/v1/operations?user=list');
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain('userId');
  });

  it('finds by idempotency key and by ids, in one page', async () => {
    expect(idsOf(await api.ask('/v1/operations?idempotencyKey=list-4'))).toEqual([made[4]]);
    const unknown = 'op_00000000000000000000000000000000';
    const some = [made[9], unknown, made[2]];
    expect(idsOf(await api.ask(`/v1/operations?ids=${some.join(',')}`))).toEqual([
      made[9],
      made[2],
    ]);
    const many = await api.ask(`/v1/operations?ids=${made.join(',')}`);
    expect(many.body).toMatchObject({ nextCursor: null });
    expect(idsOf(many)).toHaveLength(25);
  });

  it('cuts out a time by the time of acceptance', async () => {
    const after = encodeURIComponent(from);
    const later = await api.ask(`/v1/operations?createdAfter=${after}&limit=200`);
    expect(idsOf(later)).toEqual(expect.arrayContaining(made));
    const before = await api.ask(`/v1/operations?createdBefore=${after}`);
    expect(before.body.items).toHaveLength(1);
    const paged = await walk(`/v1/operations?createdAfter=${after}&limit=10&metadata.group=g0`);
    expect(paged.ids).toHaveLength(13);
  });

  it('leaves out what a batch holds, which its own page has', async () => {
    const operations = [
      { type: 'wallet.credit', input: { userId: 'list', currency: 'EUR', amount: 1 } },
    ];
    const batch = await succeed(api, '/v1/operations', { type: 'batch', input: { operations } });
    const { body: listed } = await api.ask('/v1/operations?type=batch');
    expect(listed.items).toMatchObject([{ id: batch.id, status: 'succeeded' }]);
    expect(listed.items[0]).not.toHaveProperty('input');
    const { body: single } = await api.ask(`/v1/operations/${batch.id}`);
    expect(single.result).toEqual({ operations: [{ type: 'wallet.credit' }] });
    expect(single.input.operations).toHaveLength(1);
  });

  it('looks at no more documents than it answers with, whatever it asks for', async () => {
    const isIndexed = (stage: { stage?: string; inputStage?: object } | undefined): boolean =>
      stage === undefined || (stage.stage !== 'COLLSCAN' && isIndexed(stage.inputStage));
    const collection = api.db.collection('operations');
    const queries = [
      { tenantId: 'default' },
      { tenantId: 'default', type: 'wallet.debit' },
      { tenantId: 'default', status: 'rejected' },
    ];
    for (const query of queries) {
      const plan = await collection
        .find(query)
        .sort({ _id: -1 })
        .limit(4)
        .explain('executionStats');
      const { totalDocsExamined } = plan['executionStats'] as { totalDocsExamined: number };
      expect({ query, totalDocsExamined }).toEqual({ query, totalDocsExamined: 4 });
      expect(isIndexed(plan['queryPlanner'].winningPlan)).toBe(true);
    }
  });
});

describe('GET /v1/operations/{id}', () => {
  it('has the operation as its submission answered it', async () => {
    const answer = await api.ask(`/v1/operations/${made[1]}`);
    expect(answer.body).toMatchObject({
      id: made[1],
      type: 'wallet.credit',
      status: 'succeeded',
      metadata: { group: 'g1', row: '1' },
      idempotencyKey: 'list-1',
    });
  });

  it.each(['op_00000000000000000000000000000000', 'op_x', "'; drop", '%00', '[object%20Object]'])(
    'does not know %s',
    async (id) => {
      expectProblem(await api.ask(`/v1/operations/${id}`), 404, 'not_found');
    },
  );
});

describe('GET /v1/operations/{id}/timeline', () => {
  it('tells acceptance, queue, settlement and the entries', async () => {
    const { body } = await api.ask(`/v1/operations/${made[1]}/timeline`);
    expect(body).toMatchObject({
      operationId: made[1],
      status: 'succeeded',
      events: [
        { event: 'accepted', at: expect.any(String) },
        { event: 'enqueued', queue: expect.stringMatching(/^settlement-\d$/), jobSeq: 1 },
        {
          event: 'settled',
          status: 'succeeded',
          worker: api.platform.processId,
          batch: expect.any(String),
        },
      ],
      entries: [
        { operationId: made[1], direction: 'debit', userId: expect.stringMatching(/^sys:world#/) },
        { operationId: made[1], direction: 'credit', amount: '1', userId: 'list' },
      ],
    });
    const times = (body.events as readonly { at: string }[]).map(({ at }) => at);
    expect([...times].sort((a, b) => (a < b ? -1 : 1))).toEqual(times);
  });

  it('tells recoveries and why it was refused', async () => {
    const recovered = { recoveries: 2, 'dispatch.seq': 3, 'dispatch.at': new Date() };
    await api.db.collection('operations').updateOne({ _id: made[0] as never }, { $set: recovered });
    const { body } = await api.ask(`/v1/operations/${made[0]}/timeline`);
    expect(body.entries).toEqual([]);
    expect(body.events).toMatchObject([
      { event: 'accepted' },
      { event: 'enqueued', jobSeq: 1 },
      { event: 'recovered', jobSeq: 3, times: 2 },
      { event: 'settled', status: 'rejected', code: 'insufficient_funds' },
    ]);
  });
});
