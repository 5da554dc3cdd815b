import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../api/openapi/document.ts';
import { ENDPOINTS } from '../../../api/routes/index.ts';
import { says, startScripted } from '../../support/client/scripted-server.ts';

const page = { items: [], nextCursor: null };
const document = { ...page, id: 'x_1', balance: '0', status: 'sent' };
/** Streams are resumed by a header; the metadata of operations have a parameter for each key. */
/** Proofs are for auditors' own tools; the rest is what people do who run the platform. */
const FOR_OPERATORS =
  /^\/v1\/(ledger|settings|settings-history|settings-rollback|pauses|keys|audit|tenants)\b/;

const OTHERWISE: ReadonlySet<string> = new Set(['/v1/stream lastEventId']);

describe('the query parameters of the API', () => {
  it('can all be said through the client', async () => {
    const server = await startScripted(says.json(200, document));
    const client = server.client();
    const paging = { limit: 5, cursor: 'c' };
    const ordered = { ...paging, order: 'asc', after: 'op_1' } as const;
    const times = { createdAfter: new Date(0), createdBefore: '2026-01-01T00:00:00Z' };
    const read = { queued: true, after: 'op_1', consistency: 'cached' } as const;
    const { operations, deliveries, templates } = client;
    const filter = { type: 'transfer', status: 'accepted', userId: 'a', ids: ['op_1'] } as const;
    const more = { ...paging, ...times, after: 'op_1', idempotencyKey: 'k', metadata: { a: 'b' } };
    await operations.list({ ...filter, ...more }).nextPage();
    const to = { status: 'sent', channel: 'email', userId: 'a', operationId: 'op_1' } as const;
    await deliveries.list({ ...paging, ...times, ...to, endpointId: 'whk_1' }).nextPage();
    const parties = { userId: 'a', fromUserId: 'a', toUserId: 'b' };
    await client.transfers.list({ ...ordered, ...parties }).nextPage();
    await client.holds.list({ ...ordered, userId: 'a', status: 'open' }).nextPage();
    await client.transactions.list({ ...ordered, userId: 'a' }).nextPage();
    await client.wallets.transactions('wal_1', ordered).nextPage();
    await client.users.list(paging).nextPage();
    await client.users.wallets('a', read);
    await client.wallets.get('wal_1', read);
    await client.balances.get('wal_1', read);
    await client.balances.at('wal_1', new Date(0));
    await client.webhookEndpoints.list(paging).nextPage();
    await templates.list({ ...paging, name: 'hello' }).nextPage();
    await templates.builtIn();
    await client.suppressions.list(paging).nextPage();
    await client.suppressions.removeAll({ ...times, reason: 'gone', channel: 'push' });
    const stop = new AbortController();
    const stream = client.events.stream({ userId: 'a', events: ['*'], signal: stop.signal });
    const next = stream[Symbol.asyncIterator]().next();
    await expect.poll(() => server.seen.at(-1)?.url).toContain('/v1/stream');
    stop.abort();
    await next;
    const said = (method: string, path: string, name: string): boolean => {
      const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return server.seen.some((one) => {
        const url = new URL(one.url, server.url);
        const fits = one.method === method && pattern.test(url.pathname);
        return fits && url.searchParams.has(name);
      });
    };
    const wanted = Object.entries(openApiDocument(ENDPOINTS).paths)
      .filter(([path]) => /^\/v1\//.test(path) && !FOR_OPERATORS.test(path))
      .flatMap(([path, methods]) =>
        Object.entries(methods).flatMap(([method, { parameters = [] }]) =>
          parameters
            .filter((one) => one.in === 'query')
            .map(({ name }) => ({ method: method.toUpperCase(), path, name })),
        ),
      );
    expect(wanted.length).toBeGreaterThan(40);
    const missing = wanted
      .filter(({ method, path, name }) => !said(method, path, name))
      .map(({ path, name }) => `${path} ${name}`);
    expect(missing.filter((one) => !OTHERWISE.has(one))).toEqual([]);
  });
});
