import type { Request } from '../saga-arena.ts';
import type { Stage } from './stage.ts';

const EUR = 'EUR';

/** Users with 10,000 each, so that none of what follows lacks the money. */
export async function openUsers(
  stage: Pick<Stage, 'settleAll'>,
  count: number,
): Promise<readonly string[]> {
  const users = Array.from({ length: count }, (_, index) => `u${String(index)}`);
  const wallets = [{ currency: EUR }];
  await stage.settleAll(
    users.map((userId) => ({ type: 'user.create', input: { userId, wallets } })),
  );
  const credit = { currency: EUR, amount: 10_000 };
  await stage.settleAll(
    users.map((userId) => ({ type: 'wallet.credit', input: { userId, ...credit } })),
  );
  return users;
}

type Make = (userId: string, other: string) => Request;

const payment = (userId: string, amount: number, instrument = 'card') => ({
  userId,
  currency: EUR,
  amount,
  instrument,
});

/** One of each kind that a fault may catch: both modes, both ways out of a saga, and a timer. */
const KINDS: readonly Make[] = [
  (fromUserId, toUserId) => ({
    type: 'transfer',
    input: { fromUserId, toUserId, currency: EUR, amount: 3 },
  }),
  (userId) => ({ type: 'withdrawal', input: payment(userId, 7) }),
  (userId) => ({ type: 'deposit', input: payment(userId, 11) }),
  (userId) => ({
    type: 'hold.place',
    input: { ...payment(userId, 5), instrument: undefined, expiresAt: inSeconds(4) },
  }),
  (userId) => ({ type: 'withdrawal', input: payment(userId, 13, 'decline-payout') }),
  (userId) => ({ type: 'deposit', input: payment(userId, 17, 'decline-capture') }),
];

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString();
}

/** `count` requests over the kinds and the users in turn. */
export function mixedRequests(users: readonly string[], count: number): readonly Request[] {
  const userAt = (index: number): string => users[index % users.length] ?? 'nobody';
  return Array.from({ length: count }, (_, index) => {
    const make = KINDS[index % KINDS.length] ?? KINDS[0];
    if (make === undefined) throw new Error('there are kinds');
    const { input, ...request } = make(userAt(index), userAt(index + 1));
    const sent = JSON.parse(JSON.stringify(input)) as unknown; // as JSON leaves it
    return { ...request, input: sent };
  });
}
