import { LIMITS } from '../../config/limits.ts';
import { collection } from '../../core/infra/collections.ts';
import { present } from '../../core/kernel/assert.ts';
import { type WalletDoc, systemUserId } from '../../core/ledger/documents.ts';
import { openWallet } from '../../core/ledger/wallet.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { Arena } from './arena.ts';
import { type Accepted, TENANT, acceptAll } from './load.ts';
import { CURRENCY, type TransferInput, transferInputs, userName } from './transfers.ts';

/** Operations that wait when the clock starts, and what is wrong with some of them. */
export interface Waiting {
  readonly what: 'uniform' | 'hot' | 'credits' | 'batches';
  readonly count: number;
  /** One in so many pays somebody who does not exist. */
  readonly unknownEvery?: number;
  /** One in so many is a bug: its decision throws. */
  readonly poisonEvery?: number;
  /** All of them are of a version that only later code knows, under so many lines of their own. */
  readonly stuckLines?: number;
  /** Characters of the text of each item of a batch. */
  readonly textChars?: number;
}

/** User 0 pays what is hot and the batches: their lines are not those of others. */
export const HOT_PAYER = userName(0);
const ITEMS = 1_000;

/** Accepts and enqueues them, by our own ingest. */
export async function acceptWaiting(
  arena: Arena,
  waiting: Waiting,
  { wallets, seed, label }: { readonly wallets: number; readonly seed: number; label: string },
): Promise<void> {
  const accepted = acceptedOf(waiting, { wallets, seed });
  await acceptAll(arena, 'ours', { ...accepted, label });
  if (waiting.poisonEvery !== undefined) await spoil(arena, waiting.poisonEvery, label);
  if (waiting.stuckLines !== undefined) {
    const filter = { tenantId: TENANT, idempotencyKey: { $regex: `^${label}-` } };
    await operationsOf(arena).updateMany(filter, { $set: { typeVersion: 99 } });
  }
}

function acceptedOf(
  waiting: Waiting,
  { wallets, seed }: { readonly wallets: number; readonly seed: number },
): Accepted {
  const { what, count, unknownEvery, stuckLines } = waiting;
  const shape = what === 'hot' || what === 'batches' ? 'hot' : 'uniform';
  if (what === 'batches') {
    const input = batchInput(waiting.textChars ?? 1, wallets, seed);
    const inputs = Array.from({ length: count }, () => input);
    return { type: 'batch', inputs };
  }
  const transfers = transferInputs(count, { wallets, shape, seed });
  if (what === 'credits') {
    const inputs = transfers.map(({ toUserId: userId, currency, amount }) => ({
      ...{ userId, currency, amount },
    }));
    return { type: 'wallet.credit', inputs };
  }
  const inputs = transfers.map((input, index): TransferInput => {
    if (unknownEvery !== undefined && index % unknownEvery === 0) {
      return { ...input, toUserId: `nobody-${index}` };
    }
    return stuckLines === undefined
      ? input
      : { ...input, fromUserId: `stuck-${index % stuckLines}` };
  });
  return { type: 'transfer', inputs };
}

function batchInput(textChars: number, wallets: number, seed: number) {
  const description = 'x'.repeat(textChars);
  const operations = transferInputs(ITEMS, { wallets, shape: 'hot', seed }).map((input) => ({
    type: 'transfer',
    input: { ...input, description },
  }));
  return { operations };
}

/** An amount that validation would never have let in: reading it throws. */
async function spoil(arena: Arena, every: number, label: string): Promise<void> {
  const operations = operationsOf(arena);
  const total = await operations.countDocuments({
    tenantId: TENANT,
    idempotencyKey: { $regex: `^${label}-` },
  });
  const keys = Array.from(
    { length: Math.ceil(total / every) },
    (_, index) => `${label}-${index * every}`,
  );
  await operations.updateMany(
    { tenantId: TENANT, idempotencyKey: { $in: keys } },
    { $set: { 'input.amount': 'spoilt' } },
  );
}

function operationsOf({ db }: Arena) {
  return collection<OperationDoc>(db, 'operations');
}

/** As after a time in which nobody settled: recovery should have looked at all of them by now. */
export async function makeOverdue(arena: Arena): Promise<void> {
  await operationsOf(arena).updateMany({ status: 'accepted' }, [
    { $set: { nextCheckAt: { $subtract: ['$$NOW', 60_000] } } },
  ]);
}

/** The stripes that the first process writes, each with so many full ones before one with room. */
export async function fillStripes({ db }: Arena, full: number): Promise<void> {
  const wallets = collection<WalletDoc>(db, 'wallets');
  const amount = LIMITS.systemStripeMinorMax + 1n;
  const numbers = Array.from({ length: LIMITS.settlementSlots }, (_, slot) =>
    Array.from({ length: full }, (_unused, index) => slot + index * LIMITS.systemStripes),
  ).flat();
  for (const number of numbers) {
    const opened = openWallet({
      tenantId: TENANT,
      userId: systemUserId('world', number),
      currency: CURRENCY,
      overdraftLimit: 0n,
      ownerBlocked: false,
      at: new Date(),
    });
    const found = await wallets.findOne({ _id: opened._id });
    const before = found ?? opened;
    const after: WalletDoc = {
      ...before,
      balance: before.balance - amount,
      totalDebited: before.totalDebited + amount,
    };
    await wallets.replaceOne({ _id: opened._id }, after, { upsert: true });
  }
  present(numbers[0], 'a stripe to fill');
}
