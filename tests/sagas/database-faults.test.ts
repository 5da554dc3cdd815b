import { MongoBulkWriteError, MongoNetworkError } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTenantPolicies } from '../../core/provisioning/tenant-services-store.ts';
import { bulkError, poolExhausted } from '../support/bulk-errors.ts';
import { type TcpProxy, startTcpProxy } from '../support/faults/tcp-proxy.ts';
import { type Arena, openArena, testUrl } from '../support/saga-arena.ts';

let proxy: TcpProxy;
let arena: Arena;
beforeAll(async () => {
  const [host] = new URL(testUrl('MONGO_URL')).host.split(',');
  proxy = await startTcpProxy({ port: Number(new URL(`http://${String(host)}`).port) });
  const mongoUrl = `mongodb://127.0.0.1:${String(proxy.port)}/?directConnection=true`;
  arena = await openArena({ mongoUrl });
});
afterAll(async () => {
  await arena.close();
  await proxy.close();
});

let users = 0;
async function newUser(balance = 0): Promise<string> {
  users += 1;
  const userId = `u${String(users)}`;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  const credit = { userId, currency: 'EUR', amount: balance };
  if (balance > 0) await arena.submit('wallet.credit', credit);
  return userId;
}

const payment = (userId: string, amount: number) => ({
  userId,
  currency: 'EUR',
  amount,
  instrument: 'card_1',
});

/** An `update` command on the wire: its first field. */
const UPDATE = '\x02update\0';

describe('a saga whose database fails for a while', () => {
  it.each([
    ['a journal write', 'saga.before-journal'],
    ['a transaction', 'saga.before-claim'],
  ])('is parked for nobody: connections break at %s, and again at the retry', async (_what, at) => {
    const userId = await newUser();
    const id = await arena.submit('deposit', payment(userId, 500));
    let cuts = 0;
    const { engine } = arena.engine({
      timing: { leaseMs: 30_000, heartbeatMs: 10_000, fenceMs: 5_000 },
      failpoint: (name) => {
        if (name !== at || cuts > 0) return;
        cuts += 1;
        proxy.cutAt(UPDATE, 2);
      },
    });
    for (let runs = 0; runs < 3; runs += 1) await engine.run(id).catch(() => undefined);
    expect(cuts).toBe(1);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
    expect((await arena.wallet(userId)).balance).toBe(500n);
  });

  it.each([
    ['a broken connection', () => new MongoNetworkError('cut')],
    ['one in a wrapper', () => new MongoBulkWriteError(poolExhausted(), bulkError([]).result)],
  ])('uses up no attempt of a step that reads it: %s', async (_what, errorOf) => {
    const userId = await newUser(1_000);
    const id = await arena.submit('withdrawal', payment(userId, 400));
    const policies = createTenantPolicies(arena.mongo.db);
    let failures = 0;
    const { engine } = arena.engine({
      timing: { leaseMs: 30_000, heartbeatMs: 10_000, fenceMs: 5_000 },
      services: {
        policies: {
          find: async (...wanted) => {
            failures += 1;
            // More often than the step has attempts.
            if (failures <= 9) throw errorOf();
            return policies.find(...wanted);
          },
        },
      },
    });
    await engine.run(id);
    expect(failures).toBe(10);
    expect(await arena.operation(id)).toMatchObject({ status: 'succeeded' });
  });
});
