import { formatMinor } from '../../core/kernel/money.ts';
import type {
  EntryDoc,
  HoldDoc,
  PushTargetDoc,
  TransferDoc,
  UserDoc,
  WalletDoc,
} from '../../core/ledger/documents.ts';
import type { BalancesAt, SystemWalletSum } from '../../core/ledger/ledger-reads-store.ts';
import { availableOf } from '../../core/ledger/wallet.ts';
import type {
  balanceAtSchema,
  balanceSchema,
  entrySchema,
  holdSchema,
  systemWalletSchema,
  transferSchema,
  userSchema,
  walletSchema,
} from '../contract/ledger.ts';
import type { View } from '../contract/parts.ts';

const PUSH_TAIL_CHARS = 6;

/** Documents of the ledger as clients see them: amounts in minor units, as decimal strings. */

export function userView(user: UserDoc): View<typeof userSchema> {
  const self = `/v1/users/${encodeURIComponent(user.userId)}`;
  return {
    id: user.userId,
    userId: user.userId,
    ...(user.displayName !== undefined && { displayName: user.displayName }),
    ...(user.contacts !== undefined && { contacts: user.contacts }),
    ...(user.notifications !== undefined && { notifications: user.notifications }),
    ...(user.quietHours !== undefined && { quietHours: user.quietHours }),
    ...(user.pushTargets !== undefined && { pushTargets: user.pushTargets.map(pushTargetView) }),
    status: user.status,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
    links: { self, wallets: `${self}/wallets` },
  };
}

/** Whoever has a token or an endpoint can send to the device: enough of it to tell them apart. */
function pushTargetView(target: PushTargetDoc) {
  return target.kind === 'fcm'
    ? { kind: target.kind, token: `…${target.token.slice(-PUSH_TAIL_CHARS)}` }
    : {
        kind: target.kind,
        endpoint: `${new URL(target.endpoint).origin}/…${target.endpoint.slice(-PUSH_TAIL_CHARS)}`,
      };
}

export function walletView(wallet: WalletDoc): View<typeof walletSchema> {
  const self = `/v1/wallets/${wallet._id}`;
  return {
    id: wallet._id,
    userId: wallet.userId,
    currency: wallet.currency,
    status: wallet.status,
    ...balancesView(wallet),
    totalCredited: formatMinor(wallet.totalCredited),
    totalDebited: formatMinor(wallet.totalDebited),
    createdAt: wallet.createdAt.toISOString(),
    updatedAt: wallet.updatedAt.toISOString(),
    links: { self, balance: `${self}/balance`, transactions: `${self}/transactions` },
  };
}

/** `available` is what can be spent: balance − locked + overdraft limit. */
function balancesView(wallet: WalletDoc) {
  return {
    balance: formatMinor(wallet.balance),
    bonusBalance: formatMinor(wallet.bonusBalance),
    lockedBalance: formatMinor(wallet.lockedBalance),
    overdraftLimit: formatMinor(wallet.overdraftLimit),
    available: formatMinor(availableOf(wallet)),
    seq: wallet.seq,
  };
}

function balanceHead({ _id, userId, currency }: WalletDoc) {
  return { walletId: _id, userId, currency };
}

export function balanceView(wallet: WalletDoc): View<typeof balanceSchema> {
  return { ...balanceHead(wallet), ...balancesView(wallet) };
}

/** Limits are not part of the log, so a past balance has no `available`. */
export function balanceAtView(
  wallet: WalletDoc,
  at: Date,
  { seq, balances }: BalancesAt,
): View<typeof balanceAtSchema> {
  return {
    ...balanceHead(wallet),
    at: at.toISOString(),
    balance: formatMinor(balances.real),
    bonusBalance: formatMinor(balances.bonus),
    lockedBalance: formatMinor(balances.locked),
    seq,
  };
}

export function systemWalletView(sum: SystemWalletSum): View<typeof systemWalletSchema> {
  return {
    name: sum.name,
    currency: sum.currency,
    balance: formatMinor(sum.balance),
    bonusBalance: formatMinor(sum.bonusBalance),
    lockedBalance: formatMinor(sum.lockedBalance),
  };
}

export function entryView(entry: EntryDoc): View<typeof entrySchema> {
  return {
    id: entry._id,
    operationId: entry.operationId,
    walletId: entry.walletId,
    userId: entry.userId,
    currency: entry.currency,
    balanceType: entry.balanceType,
    direction: entry.direction,
    amount: formatMinor(entry.amount),
    balanceAfter: formatMinor(entry.balanceAfter),
    seq: entry.seq,
    ...(entry.transferId !== undefined && { transferId: entry.transferId }),
    ...(entry.holdId !== undefined && { holdId: entry.holdId }),
    ...(entry.description !== undefined && { description: entry.description }),
    ...(entry.metadata !== undefined && { metadata: entry.metadata }),
    ...(entry.effectiveAt !== undefined && { effectiveAt: entry.effectiveAt.toISOString() }),
    createdAt: entry.createdAt.toISOString(),
  };
}

export function transferView(transfer: TransferDoc): View<typeof transferSchema> {
  return {
    id: transfer._id,
    operationId: transfer.operationId,
    fromUserId: transfer.fromUserId,
    toUserId: transfer.toUserId,
    currency: transfer.currency,
    amount: formatMinor(transfer.amount),
    fee: formatMinor(transfer.fee),
    status: transfer.status,
    reversedAmount: formatMinor(transfer.reversedAmount),
    ...(transfer.description !== undefined && { description: transfer.description }),
    createdAt: transfer.createdAt.toISOString(),
    updatedAt: transfer.updatedAt.toISOString(),
    links: { self: `/v1/transfers/${transfer._id}` },
  };
}

export function holdView(hold: HoldDoc): View<typeof holdSchema> {
  return {
    id: hold._id,
    operationId: hold.operationId,
    userId: hold.userId,
    currency: hold.currency,
    amount: formatMinor(hold.amount),
    captured: formatMinor(hold.captured),
    released: formatMinor(hold.released),
    remaining: formatMinor(hold.amount - hold.captured - hold.released),
    status: hold.status,
    ...(hold.expiresAt !== undefined && { expiresAt: hold.expiresAt.toISOString() }),
    ...(hold.description !== undefined && { description: hold.description }),
    createdAt: hold.createdAt.toISOString(),
    updatedAt: hold.updatedAt.toISOString(),
    links: { self: `/v1/holds/${hold._id}` },
  };
}
