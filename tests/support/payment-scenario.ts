import { expect } from 'vitest';
import { type Answer, type ApiUnderTest, expectProblem } from './api.ts';
import { succeed } from './http-fixtures.ts';

export interface TimelineEvent {
  readonly at: string;
  readonly event: string;
  readonly step?: string;
}

export interface InReview {
  readonly id: string;
  readonly userId: string;
}

export const payment = { currency: 'EUR', instrument: 'account' };

/** Event and step, one line each. */
export const storyOf = (events: readonly TimelineEvent[]): readonly string[] =>
  events.map(({ event, step }) => (step === undefined ? event : `${event} ${step}`));

/** Deposits and withdrawals of fresh users, over HTTP. Withdrawals above 10.00 wait for a person. */
export function paymentScenario(api: ApiUnderTest) {
  let users = 0;
  let review: Promise<InReview> | undefined;

  const fundedUser = async (amount = 50_000): Promise<string> => {
    users += 1;
    const userId = `u${users}`;
    await succeed(api, '/v1/users', { userId, wallets: [{ currency: 'EUR' }] });
    await succeed(api, '/v1/credits', { userId, currency: 'EUR', amount });
    return userId;
  };
  const operation = async (id: string): Promise<Answer['body']> =>
    (await api.ask(`/v1/operations/${id}`)).body;
  const reaches = async (id: string, status: string): Promise<Answer['body']> => {
    const read = async (): Promise<unknown> => (await operation(id)).status;
    await expect.poll(read, { timeout: 20_000, interval: 50 }).toBe(status);
    return operation(id);
  };
  /** A withdrawal above the limit: it holds the money and waits for a person. */
  const inReview = async (): Promise<InReview> => {
    const userId = await fundedUser();
    const { body } = await api.post('/v1/withdrawals', { ...payment, userId, amount: 5_000 });
    await reaches(body.id, 'waiting');
    return { id: body.id as string, userId };
  };

  return {
    fundedUser,
    operation,
    reaches,
    inReview,
    /** One for all tests that only see it refused. */
    sharedReview: (): Promise<InReview> => (review ??= inReview()),
    setPolicy: async () => {
      const policy = { currency: 'EUR', withdrawalRisk: { review: '1000', decline: '100000' } };
      await api.db
        .collection<{ _id: string }>('tenants')
        .updateOne({ _id: 'default' }, { $set: { policies: [policy] } });
    },
    timelineOf: async (id: string): Promise<readonly TimelineEvent[]> => {
      const { body } = await api.ask(`/v1/operations/${id}/timeline`);
      return body.events as readonly TimelineEvent[];
    },
    wallet: async (userId: string): Promise<unknown> =>
      (await api.ask(`/v1/users/${userId}/wallets`)).body.items[0],
    /** Moves an operation to where a human has to look, as the engine does. */
    park: async (id: string, more: object = {}): Promise<void> => {
      const error = { code: 'outcome_unknown', detail: 'on request' };
      const changed = await api.db
        .collection<{ _id: string }>('operations')
        .updateOne(
          { _id: id },
          { $set: { status: 'needs_attention', error, ...more }, $unset: { nextCheckAt: '' } },
        );
      expect(changed.modifiedCount).toBe(1);
    },
    refusedWithoutEffect: async (
      ask: () => Promise<Answer>,
      ...[status, code]: [number, string]
    ): Promise<Answer> => {
      const before = await api.effects();
      const answer = await ask();
      expectProblem(answer, status, code);
      expect(await api.effects()).toEqual(before);
      return answer;
    },
  };
}
