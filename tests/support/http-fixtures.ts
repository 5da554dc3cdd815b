import { expect } from 'vitest';
import type { Answer, ApiUnderTest } from './api.ts';

/** Submits through the API and waits for the outcome, which has to be a success. */
export async function succeed(
  api: ApiUnderTest,
  path: string,
  body: object,
): Promise<Answer['body']> {
  const answer = await api.post(path, body, { headers: { prefer: 'wait=20' } });
  expect({ status: answer.status, outcome: answer.body.status, error: answer.body.error }).toEqual({
    status: 200,
    outcome: 'succeeded',
    error: undefined,
  });
  return answer.body;
}

export interface Sample {
  readonly userId: string;
  readonly walletId: string;
  readonly creditId: string;
  readonly transferId: string;
  readonly holdId: string;
}

/** Two users with EUR wallets, a credit, a transfer between them and an open hold. */
export async function makeSample(api: ApiUnderTest): Promise<Sample> {
  const wallets = [{ currency: 'EUR' }];
  await succeed(api, '/v1/users', { userId: 'ann', wallets });
  await succeed(api, '/v1/users', { userId: 'bob', wallets });
  const money = { currency: 'EUR', amount: 1_000 };
  const credit = await succeed(api, '/v1/credits', { userId: 'ann', ...money });
  const transfer = await succeed(api, '/v1/transfers', {
    fromUserId: 'ann',
    toUserId: 'bob',
    currency: 'EUR',
    amount: 300,
  });
  const hold = await succeed(api, '/v1/holds', { userId: 'ann', currency: 'EUR', amount: 200 });
  const listed = await api.ask('/v1/users/ann/wallets');
  return {
    userId: 'ann',
    walletId: listed.body.items[0].id,
    creditId: credit.id,
    transferId: transfer.result.transferId,
    holdId: hold.result.holdId,
  };
}
