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
  readonly endpointId: string;
  readonly deliveryId: string;
  readonly templateId: string;
  readonly suppressionId: string;
  readonly apiKeyId: string;
  readonly pauseId: string;
}

async function makePause(api: ApiUnderTest): Promise<string> {
  const pause = { type: 'tenant.provision', tenant: 'default', reason: 'a test' };
  return (await api.post('/v1/pauses', pause)).body.id as string;
}

/**
 * Two users with EUR wallets, a credit, a transfer between them and an open hold; a webhook
 * endpoint with a delivery, a template and a suppressed address; setting up tenants is paused.
 */
export async function makeSample(api: ApiUnderTest): Promise<Sample> {
  await makeUsers(api);
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
    ...(await makeNotificationSample(api)),
    apiKeyId: await makeKey(api),
    pauseId: await makePause(api),
  };
}

/** Ann and Bob, with EUR wallets. */
export async function makeUsers(api: ApiUnderTest): Promise<void> {
  const wallets = [{ currency: 'EUR' }];
  await succeed(api, '/v1/users', { userId: 'ann', wallets });
  await succeed(api, '/v1/users', { userId: 'bob', wallets });
}

async function makeKey(api: ApiUnderTest): Promise<string> {
  const { status, body } = await api.post('/v1/keys', { name: 'sample', scopes: ['ledger:read'] });
  expect(status).toBe(201);
  return String(body.id);
}

async function makeNotificationSample(
  api: ApiUnderTest,
): Promise<Pick<Sample, 'endpointId' | 'deliveryId' | 'templateId' | 'suppressionId'>> {
  const make = async (path: string, body: object): Promise<string> => {
    const answer = await api.post(path, body);
    expect(answer.status).toBeLessThan(300);
    return String(answer.body.id);
  };
  // A literal address that is public, so that no name server is asked.
  const endpointId = await make('/v1/webhook-endpoints', {
    url: 'https://93.184.215.14/hook',
    events: ['transfer.*'],
  });
  const deliveryId = await make(`/v1/webhook-endpoints/${endpointId}/test`, {});
  const templateId = await make('/v1/templates', {
    name: 'hello',
    channel: 'email',
    locale: 'en',
    text: 'Hello {{name}}',
  });
  const suppressionId = await make('/v1/suppressions', {
    channel: 'email',
    address: 'gone@example.test',
  });
  return { endpointId, deliveryId, templateId, suppressionId };
}
