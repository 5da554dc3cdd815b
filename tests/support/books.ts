import type { Db } from 'mongodb';
import { expect } from 'vitest';
import type { EntryDoc, HoldDoc, WalletDoc } from '../../core/ledger/documents.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { PaymentRecord } from '../../scripts/dev/sandbox/payments.ts';

const big = { useBigInt64: true };

/** Conservation, balance = fold of the log, gapless seq, no open hold of a terminal operation. */
export async function expectSoundBooks(db: Db): Promise<void> {
  const entries = await db.collection<EntryDoc>('transactions', big).find().toArray();
  const sums = new Map<string, bigint>();
  const folds = new Map<string, { real: bigint; bonus: bigint; locked: bigint; seqs: number[] }>();
  for (const entry of entries) {
    const signed = entry.direction === 'credit' ? entry.amount : -entry.amount;
    const key = `${entry.operationId} ${entry.currency} ${entry.balanceType}`;
    sums.set(key, (sums.get(key) ?? 0n) + signed);
    const fold = folds.get(entry.walletId) ?? { real: 0n, bonus: 0n, locked: 0n, seqs: [] };
    fold[entry.balanceType] += signed;
    fold.seqs.push(entry.seq);
    folds.set(entry.walletId, fold);
  }
  expect([...sums].filter(([, sum]) => sum !== 0n)).toEqual([]);
  const wallets = await db.collection<WalletDoc>('wallets', big).find().toArray();
  for (const wallet of wallets) {
    const fold = folds.get(wallet._id) ?? { real: 0n, bonus: 0n, locked: 0n, seqs: [] };
    expect(
      [wallet.balance, wallet.bonusBalance, wallet.lockedBalance],
      `the balances of ${wallet.userId}`,
    ).toEqual([fold.real, fold.bonus, fold.locked]);
    const seqs = fold.seqs.sort((a, b) => a - b);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(wallet.seq).toBe(seqs.length);
  }
  const managed = { status: 'open', managedBy: { $exists: true } } as const;
  for (const hold of await db.collection<HoldDoc>('holds', big).find(managed).toArray()) {
    const owner = await db
      .collection<OperationDoc>('operations')
      .findOne({ _id: hold.operationId });
    expect(owner?.completedAt, `the operation of open hold ${hold._id}`).toBeUndefined();
  }
}

interface Input {
  readonly userId?: string;
  readonly fromUserId?: string;
  readonly toUserId?: string;
  readonly currency?: string;
  readonly amount?: string;
  readonly holdId?: string;
}

/** `<user> <balance type>` to the sum that an operation has moved there. */
type Effect = ReadonlyMap<string, bigint>;
type EffectOf = (operation: OperationDoc, holds: ReadonlyMap<string, HoldDoc>) => Effect;

const inputOf = ({ input }: OperationDoc): Input => input as Input; // stored as its schema left it
const amountOf = (operation: OperationDoc): bigint => BigInt(inputOf(operation).amount ?? '0');
const effect = (...parts: readonly (readonly [string | undefined, string, bigint])[]): Effect =>
  new Map(parts.map(([userId, type, amount]) => [`${userId ?? '?'} ${type}`, amount]));
const nothing: EffectOf = () => effect();

/** What a type does to the wallets of users when it succeeds. Anything else does nothing at all. */
const EFFECTS: Readonly<Record<string, EffectOf>> = {
  'user.create': nothing,
  'wallet.credit': (one) => effect([inputOf(one).userId, 'real', amountOf(one)]),
  'wallet.debit': (one) => effect([inputOf(one).userId, 'real', -amountOf(one)]),
  transfer: (one) =>
    effect(
      [inputOf(one).fromUserId, 'real', -amountOf(one)],
      [inputOf(one).toUserId, 'real', amountOf(one)],
    ),
  'hold.place': (one) => effect([inputOf(one).userId, 'locked', amountOf(one)]),
  'hold.release': (one, holds) => {
    const hold = holds.get(inputOf(one).holdId ?? '');
    return effect([hold?.userId, 'locked', -(hold?.amount ?? 0n)]);
  },
  deposit: (one) => effect([inputOf(one).userId, 'real', amountOf(one)]),
  withdrawal: (one) => effect([inputOf(one).userId, 'real', -amountOf(one)]),
  'tenant.provision': nothing,
};

/** Which payment at the provider makes an operation's effect outside. */
const OUTSIDE: Readonly<Record<string, string>> = { deposit: 'captures', withdrawal: 'payouts' };

/**
 * The net effect of every operation, in the ledger and at the provider, is exactly that of its
 * final state; what a human has to look at may be in between.
 */
export async function expectEffects(db: Db, payments: readonly PaymentRecord[]): Promise<void> {
  const operations = await db.collection<OperationDoc>('operations', big).find().toArray();
  const holds = await db.collection<HoldDoc>('holds', big).find().toArray();
  const holdsById = new Map<string, HoldDoc>(holds.map((hold) => [hold._id, hold]));
  const moved = await movedByOperation(db);
  const wrong = operations.flatMap((operation) => {
    const { _id, type, status } = operation;
    const effectOf = EFFECTS[type];
    if (status === 'needs_attention' || effectOf === undefined) return [];
    const wanted = status === 'succeeded' ? effectOf(operation, holdsById) : effect();
    const found = moved.get(_id) ?? effect();
    const isPaid = status === 'succeeded' && OUTSIDE[type] !== undefined;
    const paid = payments.filter(
      ({ key, kind, status: outcome, isVoided }) =>
        key.startsWith(`${_id}.`) && kind === OUTSIDE[type] && outcome === 'succeeded' && !isVoided,
    );
    const isRight = textOf(found) === textOf(wanted) && paid.length === (isPaid ? 1 : 0);
    if (isRight) return [];
    return [
      `${type} ${status} ${_id}: ${textOf(found)}; paid outside ${String(paid.length)} times`,
    ];
  });
  expect(wrong).toEqual([]);
}

async function movedByOperation(db: Db): Promise<ReadonlyMap<string, Effect>> {
  const moved = new Map<string, Map<string, bigint>>();
  const legs = new Set<string>();
  for await (const entry of db.collection<EntryDoc>('transactions', big).find()) {
    const leg = `${entry.operationId}.${String(entry.leg)}`;
    expect(legs.has(leg), `one entry per leg: ${leg}`).toBe(false);
    legs.add(leg);
    if (entry.userId.startsWith('sys:')) continue;
    const signed = entry.direction === 'credit' ? entry.amount : -entry.amount;
    const sums = moved.get(entry.operationId) ?? new Map<string, bigint>();
    const key = `${entry.userId} ${entry.balanceType}`;
    sums.set(key, (sums.get(key) ?? 0n) + signed);
    moved.set(entry.operationId, sums);
  }
  return moved;
}

/** Sums of zero are no effect. */
function textOf(sums: Effect): string {
  return [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([key, sum]) => `${key} ${String(sum)}`)
    .sort()
    .join(', ');
}
