import { z } from 'zod';
import { SYSTEM_WALLETS } from '../../core/ledger/documents.ts';
import { count, metadata, money, operationId, pageOf, text, time, walletId } from './parts.ts';

/** The ledger as clients see it. */

const pushTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fcm'), token: text }),
  z.strictObject({ kind: z.literal('webpush'), endpoint: text }),
]);

export const userSchema = z
  .strictObject({
    id: text,
    userId: text,
    displayName: text.exactOptional(),
    contacts: z
      .strictObject({
        email: text.exactOptional(),
        phone: text.exactOptional(),
        locale: text.exactOptional(),
      })
      .exactOptional(),
    notifications: z.record(z.string(), z.boolean()).exactOptional(),
    quietHours: z.strictObject({ from: text, to: text, zone: text }).exactOptional(),
    pushTargets: z
      .array(pushTarget)
      .exactOptional()
      .meta({ description: 'Tokens and addresses are cut: enough to tell them apart' }),
    status: z.enum(['active', 'blocked']),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({ self: text, wallets: text }),
  })
  .meta({ id: 'User' });

const settled = {
  balance: money,
  bonusBalance: money,
  lockedBalance: money.meta({ description: 'Set aside by holds' }),
};

const spendable = {
  ...settled,
  overdraftLimit: money,
  available: money.meta({ description: 'What can be spent: balance − locked + overdraft limit' }),
  seq: count.meta({ description: 'Number of the last entry; gapless from 1' }),
};

/** With `include=queued`. */
const queued = {
  queuedDebit: money.exactOptional(),
  queuedCredit: money.exactOptional(),
  availableAfterQueued: money.exactOptional(),
  queuedIsPartial: z
    .literal(true)
    .exactOptional()
    .meta({ description: 'more is waiting than was added up' }),
};

export const walletSchema = z
  .strictObject({
    id: walletId,
    userId: text,
    currency: text,
    status: z.enum(['active', 'frozen', 'closed']),
    ...spendable,
    ...queued,
    totalCredited: money,
    totalDebited: money,
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({ self: text, balance: text, transactions: text }),
  })
  .meta({ id: 'Wallet' });

const balanceHead = { walletId, userId: text, currency: text };

export const balanceSchema = z
  .strictObject({ ...balanceHead, ...spendable, ...queued })
  .meta({ id: 'Balance' });

export const balanceAtSchema = z
  .strictObject({ ...balanceHead, at: time, ...settled, seq: count })
  .meta({
    id: 'BalanceAt',
    description: 'Limits are not part of the log: there is no `available`',
  });

export const systemWalletSchema = z
  .strictObject({ name: z.enum(SYSTEM_WALLETS), currency: text, ...settled })
  .meta({ id: 'SystemWallet' });

export const entrySchema = z
  .strictObject({
    id: text,
    operationId,
    walletId,
    userId: text,
    currency: text,
    balanceType: z.enum(['real', 'bonus', 'locked']),
    direction: z.enum(['debit', 'credit']),
    amount: money,
    balanceAfter: money,
    seq: count,
    transferId: text.exactOptional(),
    holdId: text.exactOptional(),
    description: text.exactOptional(),
    metadata: metadata.exactOptional(),
    effectiveAt: time.exactOptional(),
    createdAt: time,
  })
  .meta({ id: 'Entry', description: 'One line of the ledger; never changed' });

export const transferSchema = z
  .strictObject({
    id: text,
    operationId,
    fromUserId: text,
    toUserId: text,
    currency: text,
    amount: money,
    fee: money,
    status: z.enum(['settled', 'partially_reversed', 'reversed']),
    reversedAmount: money,
    description: text.exactOptional(),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({ self: text }),
  })
  .meta({ id: 'Transfer' });

export const holdSchema = z
  .strictObject({
    id: text,
    operationId,
    userId: text,
    currency: text,
    amount: money,
    captured: money,
    released: money,
    remaining: money,
    status: z.enum(['open', 'captured', 'released', 'expired']),
    expiresAt: time.exactOptional(),
    description: text.exactOptional(),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({ self: text }),
  })
  .meta({ id: 'Hold' });

export const userPage = pageOf(userSchema, 'UserPage');
export const walletPage = pageOf(walletSchema, 'WalletPage');
export const systemWalletPage = pageOf(systemWalletSchema, 'SystemWalletPage');
export const entryPage = pageOf(entrySchema, 'EntryPage');
export const transferPage = pageOf(transferSchema, 'TransferPage');
export const holdPage = pageOf(holdSchema, 'HoldPage');
