import { describe, expect, it } from 'vitest';
import { type KeyStore, createMemoryKeyStore } from '../../../client/src/index.ts';
import { says, startScripted } from '../../support/client/scripted-server.ts';

const transfer = { fromUserId: 'ada', toUserId: 'bob', currency: 'EUR', amount: 5n };

/** A store that tells in which order it was used. */
function telling(log: string[], store: KeyStore = createMemoryKeyStore()): KeyStore {
  return {
    load: (fingerprint) => store.load(fingerprint),
    save: async (fingerprint, key) => {
      await store.save(fingerprint, key);
      log.push('save');
    },
    forget: async (fingerprint) => {
      await store.forget(fingerprint);
      log.push('forget');
    },
  };
}

describe('the key of a write', () => {
  it('is saved before anything is sent, and forgotten after the answer', async () => {
    const log: string[] = [];
    const server = await startScripted((response, seen) => {
      log.push('sent');
      says.accepted(response, seen);
    });
    const client = server.client({ keyStore: telling(log) });
    await client.transfers.create(transfer);
    expect(log).toEqual(['save', 'sent', 'forget']);
    await client.transfers.create(transfer);
    expect(new Set(server.keys()).size).toBe(2);
  });
  it('is the same after a crash, however the fields are ordered and the amount is written', async () => {
    const server = await startScripted(says.cut, says.accepted);
    const keyStore = createMemoryKeyStore();
    const first = server.client({ keyStore, retries: 0 }).transfers.create(transfer);
    await expect(first).rejects.toMatchObject({ isOutcomeUnknown: true });
    const again = { amount: '5', currency: 'EUR', toUserId: 'bob', fromUserId: 'ada' };
    await server.client({ keyStore }).transfers.create(again);
    expect(new Set(server.keys()).size).toBe(1);
  });
  it('is another one for another request', async () => {
    const server = await startScripted(says.cut, says.accepted);
    const keyStore = createMemoryKeyStore();
    const client = server.client({ keyStore, retries: 0 });
    await expect(client.transfers.create(transfer)).rejects.toThrow();
    await client.transfers.create({ ...transfer, amount: 6n });
    await client.transfers.create(transfer, { metadata: { order: '2' } });
    expect(new Set(server.keys()).size).toBe(3);
  });
  it('is another one for the same request at the same time: those are two writes', async () => {
    const server = await startScripted(says.accepted);
    const client = server.client({ keyStore: createMemoryKeyStore() });
    await Promise.all([client.transfers.create(transfer), client.transfers.create(transfer)]);
    expect(new Set(server.keys()).size).toBe(2);
  });
  it('that cannot be saved keeps the write from being sent', async () => {
    const server = await startScripted(says.accepted);
    const keyStore = {
      ...createMemoryKeyStore(),
      save: () => Promise.reject(new Error('disk full')),
    };
    const client = server.client({ keyStore });
    await expect(client.transfers.create(transfer)).rejects.toThrow('disk full');
    const [result] = await client.submitBulk([{ type: 'transfer', input: transfer }]);
    expect(result).toMatchObject({ ok: false, error: { code: 'not_sent' } });
    expect(server.seen).toEqual([]);
  });
  it('that cannot be forgotten spoils no answer, and is told', async () => {
    const server = await startScripted(says.accepted);
    const told: unknown[] = [];
    const keyStore = {
      ...createMemoryKeyStore(),
      forget: () => Promise.reject(new Error('read-only')),
    };
    const client = server.client({ keyStore, onKeyStoreError: (error) => told.push(error) });
    expect((await client.transfers.create(transfer)).id).toBe('op_1');
    expect(told).toEqual([new Error('read-only')]);
  });
  it.each(['', 'ä', 'a\nb', 'x'.repeat(256)])('is refused as %o', async (idempotencyKey) => {
    const server = await startScripted(says.accepted);
    const call = server.client().transfers.create(transfer, { idempotencyKey });
    await expect(call).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(server.seen).toEqual([]);
  });
});

describe('a bulk call', () => {
  const item = (amount: number) => ({ type: 'transfer' as const, input: { ...transfer, amount } });
  const answer = (
    seen: { readonly body: string },
    refuse: (index: number) => number | undefined,
  ) => {
    const items = JSON.parse(seen.body) as { readonly idempotencyKey: string }[];
    const results = items.map((_, index) => {
      const status = refuse(index);
      const operation = { id: `op_${index}`, status: 'accepted' };
      if (status === undefined) return { index, status: 202, operation };
      const code = status === 503 ? 'ledger_unavailable' : 'invalid_request';
      return { index, status, problem: { code, status, detail: 'no', retryable: status === 503 } };
    });
    return { accepted: 0, refused: 0, results };
  };

  it('sends those again, under their keys, that could not be taken at the moment', async () => {
    const server = await startScripted(
      (response, seen) => {
        const refuse = (index: number) => (index === 1 ? 503 : index === 2 ? 400 : undefined);
        says.json(202, answer(seen, refuse))(response, seen);
      },
      (response, seen) => {
        says.json(
          202,
          answer(seen, () => undefined),
        )(response, seen);
      },
    );
    const results = await server.client().submitBulk([1, 2, 3].map(item));
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false]);
    const [first, second] = server.seen.map(
      ({ body }) => JSON.parse(body) as { idempotencyKey: string }[],
    );
    expect(second).toEqual([first?.[1]]);
    expect(results[1]).toMatchObject({ idempotencyKey: first?.[1]?.idempotencyKey });
  });
  it('sends nothing after a request that failed, and says so for each item', async () => {
    const server = await startScripted(says.problem(401, 'unauthenticated'));
    const results = await server.client().submitBulk([1, 2, 3, 4, 5].map(item), { chunkSize: 2 });
    expect(results.map((one) => (one.ok ? '' : one.error.code))).toEqual([
      ...['unauthenticated', 'unauthenticated', 'not_sent', 'not_sent', 'not_sent'],
    ]);
    expect(server.seen.length).toBe(1);
  });
  it('keeps its requests below what the API takes, in items and in bytes', async () => {
    const server = await startScripted((response, seen) => {
      says.json(
        202,
        answer(seen, () => undefined),
      )(response, seen);
    });
    const metadata = Object.fromEntries(
      Array.from({ length: 4 }, (_, index) => [`m${index}`, 'ü'.repeat(400)]),
    );
    const items = Array.from({ length: 1_200 }, () => ({ ...item(1), metadata }));
    const results = await server.client().submitBulk(items);
    expect(results.filter(({ ok }) => ok).length).toBe(1_200);
    expect(server.seen.length).toBeGreaterThan(2);
    for (const { body } of server.seen) expect(Buffer.byteLength(body)).toBeLessThan(1_048_576);
    async function* source() {
      for (let index = 0; index < 2_500; index += 1) yield await Promise.resolve(item(1));
    }
    const before = server.seen.length;
    expect((await server.client().submitBulk(source())).length).toBe(2_500);
    expect(server.seen.length - before).toBe(3);
    expect(await server.client().submitBulk([])).toEqual([]);
  });
});
