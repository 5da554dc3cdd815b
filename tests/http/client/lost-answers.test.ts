import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientOptions,
  IdempotencyConflictError,
  SluiceError,
  createClient,
  createMemoryKeyStore,
} from '../../../client/src/index.ts';
import { ADMIN_KEY, useApi } from '../../support/api.ts';
import { until } from '../../support/wait.ts';
import { type TcpProxy, startTcpProxy } from '../../support/faults/tcp-proxy.ts';

const api = useApi({ worker: true });
let proxy: TcpProxy | undefined;
const net = (): TcpProxy => {
  if (proxy === undefined) throw new Error('the proxy is not up');
  return proxy;
};
const clientOf = (options: Partial<ClientOptions> = {}) =>
  createClient({ baseUrl: `http://127.0.0.1:${net().port}`, apiKey: ADMIN_KEY, ...options });

const credit = { userId: 'ann', currency: 'EUR', amount: 100n };
/** Once nothing is under way: a test before may have left a credit that nobody waited for. */
const balance = async (): Promise<string | undefined> => {
  const open = () => api.db.collection('operations').countDocuments({ status: 'accepted' });
  await until(async () => (await open()) === 0, 'nothing is under way');
  return (await clientOf().users.wallets('ann'))[0]?.balance;
};

beforeAll(async () => {
  proxy = await startTcpProxy({ port: api.port });
  await clientOf().users.create({ userId: 'ann', wallets: [{ currency: 'EUR' }] }, { wait: 20 });
});
afterAll(() => proxy?.close());

describe('a write whose answer is lost', () => {
  it('is sent again under the same key, and has one effect', async () => {
    const before = BigInt((await balance()) ?? '0');
    net().cutAt('/v1/credits', 2, 'after');
    const paid = await clientOf().credits.create(credit, { wait: 20 });
    expect(paid).toMatchObject({ status: 'succeeded', replayed: true });
    expect(await balance()).toBe(String(before + 100n));
  });
  it('says that its outcome is unknown when there are no tries left, and under which key', async () => {
    const before = BigInt((await balance()) ?? '0');
    net().cutAt('/v1/credits', 1, 'after');
    const client = clientOf({ retries: 0 });
    const error: unknown = await client.credits.create(credit).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).toMatchObject({ code: 'network', isOutcomeUnknown: true, retryable: true });
    const { idempotencyKey } = error as SluiceError;
    const again = await client.credits.create(credit, { idempotencyKey, wait: 20 });
    expect(again).toMatchObject({ status: 'succeeded', replayed: true });
    expect(await balance()).toBe(String(before + 100n));
  });
  it('is known by the next process that makes the same call', async () => {
    const before = BigInt((await balance()) ?? '0');
    const keyStore = createMemoryKeyStore();
    net().cutAt('/v1/credits', 1, 'after');
    const first = clientOf({ retries: 0, keyStore }).credits.create(credit);
    await expect(first).rejects.toMatchObject({ isOutcomeUnknown: true });
    // The process is gone; the store is not.
    const next = clientOf({ keyStore });
    const replayed = await next.credits.create(credit, { wait: 20 });
    expect(replayed).toMatchObject({ status: 'succeeded', replayed: true });
    expect(await balance()).toBe(String(before + 100n));
    const another = await next.credits.create(credit, { wait: 20 });
    expect(another).toMatchObject({ status: 'succeeded', replayed: false });
    expect(await balance()).toBe(String(before + 200n));
  });
  it('keeps the key of a write of unknown outcome while nothing says what became of it', async () => {
    const keyStore = createMemoryKeyStore();
    net().cutAt('/v1/credits', 1, 'after');
    const first = clientOf({ retries: 0, keyStore }).credits.create(credit);
    const { idempotencyKey } = await first.catch((error: unknown) => error as SluiceError);
    const wrongKey = clientOf({ keyStore, apiKey: 'slk_nobody_0123456789abcdefghij' });
    await expect(wrongKey.credits.create(credit)).rejects.toMatchObject({
      ...{ code: 'unauthenticated', isOutcomeUnknown: true, idempotencyKey },
    });
    const right = await clientOf({ keyStore }).credits.create(credit);
    expect(right).toMatchObject({ idempotencyKey, replayed: true });
  });
});

describe('bulk', () => {
  it('has one result an item and one effect each, whatever is cut', async () => {
    const before = BigInt((await balance()) ?? '0');
    const items = Array.from({ length: 25 }, (_, index) => ({
      ...{ type: 'wallet.credit' as const, input: { ...credit, amount: index === 7 ? 0 : 1 } },
    }));
    net().cutAt('/v1/operations/bulk', 2, 'after');
    const results = await clientOf().submitBulk(items, { chunkSize: 10, wait: 20 });
    expect(results.map(({ ok }) => ok)).toEqual(items.map((_, index) => index !== 7));
    expect(results[7]).toMatchObject({
      error: { code: 'invalid_request', errors: [{ pointer: '/input/amount' }] },
    });
    expect(await balance()).toBe(String(before + 24n));
  });
});

describe('a key that was used for another request', () => {
  it('is an error of its own, which names the fields', async () => {
    const client = clientOf();
    const { id } = await client.credits.create(credit, { idempotencyKey: 'twice' });
    const other = client.credits.create({ ...credit, amount: 5 }, { idempotencyKey: 'twice' });
    const error: unknown = await other.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IdempotencyConflictError);
    expect(error).toMatchObject({ status: 409, operationId: id, isOutcomeUnknown: false });
    expect((error as SluiceError).errors.map(({ pointer }) => pointer)).toContain('/input/amount');
  });
});
