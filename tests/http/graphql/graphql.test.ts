import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, expectProblem, useApi } from '../../support/api.ts';

const api = useApi({ worker: true });

async function question(query: string, variables?: object, key?: string): Promise<Answer> {
  return api.ask('/graphql', {
    method: 'POST',
    body: { query, ...(variables && { variables }) },
    ...(key !== undefined && { key }),
  });
}

beforeAll(async () => {
  const prefer = { prefer: 'wait=10' };
  for (const userId of ['ann', 'bob']) {
    const wallets = [{ currency: 'EUR', overdraftLimit: '1000' }];
    await api.post(
      '/v1/users',
      { userId, wallets },
      { headers: { ...prefer, 'idempotency-key': userId } },
    );
  }
  const transfer = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: '250' };
  for (const key of ['t-1', 't-2', 't-3']) {
    await api.post('/v1/transfers', transfer, { headers: { ...prefer, 'idempotency-key': key } });
  }
});

describe('questions in GraphQL', () => {
  it('lead from a user to wallets, entries and the operations behind them', async () => {
    const { status, body } = await question(
      `query ($id: ID!) {
        user(userId: $id) {
          userId status
          wallets { currency balance available
            transactions(first: 2) {
              nodes { direction amount operation { type status } } pageInfo { hasNextPage } } }
        }
      }`,
      { id: 'ann' },
    );
    const entry = {
      direction: 'debit',
      amount: '250',
      operation: { type: 'transfer', status: 'succeeded' },
    };
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        data: {
          user: {
            ...{ userId: 'ann', status: 'active' },
            wallets: [
              {
                ...{ currency: 'EUR', balance: '-750', available: '250' },
                transactions: { nodes: [entry, entry], pageInfo: { hasNextPage: true } },
              },
            ],
          },
        },
      },
    });
  });

  it('go through a list by its cursor, each row once', async () => {
    const text = `query ($after: String) { transfers(first: 2, after: $after) {
      nodes { id from { userId } to { userId } } pageInfo { hasNextPage endCursor } } }`;
    const first = (await question(text)).body.data.transfers;
    const second = (await question(text, { after: first.pageInfo.endCursor })).body.data.transfers;
    const ids = [...first.nodes, ...second.nodes].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(second.pageInfo.hasNextPage).toBe(false);
    expect(first.nodes[0]).toMatchObject({ from: { userId: 'ann' }, to: { userId: 'bob' } });
  });

  it('have the rights of the endpoint that says the same, field by field', async () => {
    const key = await api.newKey({ scopes: ['ledger:read'] });
    const { body } = await question(
      '{ users { nodes { userId } } deliveries { nodes { id } } }',
      {},
      key,
    );
    expect(body.errors).toMatchObject([
      { path: ['deliveries'], extensions: { code: 'forbidden' } },
    ]);
    const other = await api.newKey({ scopes: ['operations:write'] });
    expectProblem(await question('{ users { nodes { userId } } }', {}, other), 403, 'forbidden');
  });

  it('show nothing of another tenant', async () => {
    await api.newTenant('stranger');
    const key = await api.newKey({ tenantId: 'stranger', scopes: ['admin'] });
    const [wallet] = (await api.ask('/v1/users/ann/wallets')).body.items;
    const text =
      'query ($id: ID!) { wallet(id: $id) { balance } user(userId: "ann") { userId } ' +
      'transfers { nodes { id } } }';
    const { body } = await question(text, { id: wallet.id }, key);
    expect(body).toEqual({ data: { wallet: null, user: null, transfers: { nodes: [] } } });
  });

  it('are told the code of what the endpoint refuses', async () => {
    const { status, body } = await question('{ transfers(after: "nonsense") { nodes { id } } }');
    expect(status).toBe(200);
    expect(body.errors).toMatchObject([{ extensions: { code: 'invalid_cursor' } }]);
    const large = await question('{ users(first: 201) { nodes { userId } } }');
    expect(large.body.errors[0].extensions.code).toBe('invalid_request');
  });

  const doubling = (count: number): string => {
    const fragments = Array.from({ length: count }, (_, n) => {
      const inner = n === 0 ? 'userId' : `...F${n}`;
      const both = ['a', 'b'].map((alias) => `${alias}: wallets { user { ${inner} } }`).join(' ');
      return `fragment F${n + 1} on User { ${both} }`;
    });
    return `{ user(userId: "ann") { ...F${count} } } ${fragments.join(' ')}`;
  };
  const nested = (depth: number): string =>
    depth === 0 ? 'userId' : `wallets { user { ${nested(depth - 1)} } }`;
  it.each([
    ['depth', `{ user(userId: "ann") { ${nested(20)} } }`],
    [
      'aliases',
      `{ ${Array.from({ length: 200 }, (_, n) => `a${n}: user(userId: "ann") { userId }`).join(' ')} }`,
    ],
    ['words', `{ ${'users { nodes { userId } } '.repeat(1_500)} }`],
    ['cost', '{ users(first: 200) { nodes { transactions(first: 200) { nodes { id } } } } }'],
    [
      'fragments in themselves',
      '{ user(userId: "ann") { ...F } } fragment F on User { wallets { user { ...F } } }',
    ],
    ['fragments that double', doubling(9)],
    ['directives', `{ user(userId: "ann") { userId ${'@include(if: true) '.repeat(100)} } }`],
    ['no language at all', '{{{{'],
  ])('are refused by their text when they ask for too much: %s', async (_name, text) => {
    const { status, body } = await question(text);
    expect(status).toBe(200);
    expect(body.data ?? null).toBeNull();
    expect(body.errors.length).toBeGreaterThan(0);
  });

  it('that are none are problem documents', async () => {
    expectProblem(await api.ask('/graphql', { method: 'POST', body: {} }), 400, 'invalid_request');
    expectProblem(await api.ask('/graphql', { method: 'POST', body: [] }), 400, 'invalid_request');
    const long = { query: `{ users { nodes { userId } } } #${'x'.repeat(60_000)}` };
    expectProblem(
      await api.ask('/graphql', { method: 'POST', body: long }),
      400,
      'invalid_request',
    );
    expectProblem(await api.ask('/graphql'), 405, 'method_not_allowed');
  });

  it('about the schema are answered, and mutations are not there', async () => {
    const { body } = await question('{ __schema { queryType { name } mutationType { name } } }');
    expect(body.data).toEqual({ __schema: { queryType: { name: 'Query' }, mutationType: null } });
    expect((await question('mutation { a }')).body.errors.length).toBeGreaterThan(0);
  });
});
