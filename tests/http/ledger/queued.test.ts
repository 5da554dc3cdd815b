import { beforeAll, describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { UserDoc, WalletDoc } from '../../../core/ledger/documents.ts';
import { userDocId } from '../../../core/ledger/documents.ts';
import { openWallet } from '../../../core/ledger/wallet.ts';
import { expectProblem, useApi } from '../../support/api.ts';

/** Nobody settles here: what is accepted waits. */
const api = useApi();
let wallet = '';

beforeAll(async () => {
  const at = new Date();
  const open = (userId: string, currency: string): WalletDoc => ({
    ...openWallet({
      ...{ tenantId: 'default', userId, currency, overdraftLimit: 50n, ownerBlocked: false, at },
    }),
    ...{ balance: 1_000n, totalCredited: 1_000n, lockedBalance: 100n, seq: 2 },
  });
  const [eur, ...others] = [open('ann', 'EUR'), open('ann', 'USD'), open('bob', 'EUR')];
  if (eur === undefined) throw new Error('no wallet');
  await collection<WalletDoc>(api.db, 'wallets').insertMany([eur, ...others]);
  const user = { tenantId: 'default', status: 'active', createdAt: at, updatedAt: at } as const;
  await collection<UserDoc>(api.db, 'users').insertOne({
    ...{ _id: userDocId('default', 'ann'), userId: 'ann' },
    ...user,
  });
  wallet = `/v1/wallets/${eur._id}`;
});

const NOTHING = { queuedDebit: '0', queuedCredit: '0', availableAfterQueued: '950' };

describe('what waits for a wallet', () => {
  it('is told beside what is settled, by whom it concerns', async () => {
    expect((await api.ask(`${wallet}/balance?include=queued`)).body).toMatchObject(NOTHING);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const ann = { userId: 'ann', currency: 'EUR' };
    const toBob = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR' };
    for (const [path, body] of [
      ['/v1/credits', { ...ann, amount: 300, fee: 1 }],
      ['/v1/credits', { ...ann, amount: 7_000, balanceType: 'bonus' }],
      ['/v1/debits', { ...ann, amount: 20 }],
      ['/v1/holds', { ...ann, amount: 4 }],
      ['/v1/transfers', { ...toBob, amount: 500, fee: 5 }],
      ['/v1/transfers', { ...toBob, fromUserId: 'bob', toUserId: 'ann', amount: 30 }],
      // Neither of another currency nor of another time.
      ['/v1/debits', { ...ann, currency: 'USD', amount: 9 }],
      ['/v1/debits', { ...ann, amount: 9_000, runAt: later }],
    ] as const) {
      expect((await api.post(path, body)).status).toBe(202);
    }
    const expected = {
      balance: '1000',
      available: '950',
      queuedDebit: '530',
      queuedCredit: '330',
      availableAfterQueued: '750',
    };
    expect((await api.ask(`${wallet}/balance?include=queued`)).body).toMatchObject(expected);
    expect((await api.ask(`${wallet}?include=queued`)).body).toMatchObject(expected);
    const { body } = await api.ask('/v1/users/ann/wallets?include=queued');
    expect(body.items).toMatchObject([
      { currency: 'EUR', ...expected },
      { currency: 'USD', queuedDebit: '9', queuedCredit: '0', availableAfterQueued: '941' },
    ]);
    expect((await api.ask(wallet)).body).not.toHaveProperty('queuedDebit');
  });

  it.each([
    ['?include=everything', 'include'],
    ['?include=queued&consistency=cached', 'include'],
    ['?include=queued&at=2026-01-01T00:00:00Z', 'include'],
  ])('%s is refused', async (query, name) => {
    const answer = await api.ask(`${wallet}/balance${query}`);
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors[0].parameter).toBe(name);
  });

  it('of another tenant is not found', async () => {
    await api.newTenant('other');
    const key = await api.newKey({ tenantId: 'other', scopes: ['ledger:read'] });
    expectProblem(await api.ask(`${wallet}?include=queued`, { key }), 404, 'not_found');
  });
});
