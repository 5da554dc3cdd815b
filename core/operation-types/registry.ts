import type { OperationDefinition } from '../operations/define.ts';
import { defineBatch } from './batch.ts';
import { bonusAward } from './bonus-award.ts';
import { bonusConvert } from './bonus-convert.ts';
import { deposit } from './deposit.ts';
import { holdCapture } from './hold-capture.ts';
import { holdPlace } from './hold-place.ts';
import { holdRelease } from './hold-release.ts';
import { notificationSend } from './notification-send.ts';
import { tenantProvision } from './tenant-provision.ts';
import { transferReverse } from './transfer-reverse.ts';
import { transfer } from './transfer.ts';
import { userCreate } from './user-create.ts';
import { userUpdate } from './user-update.ts';
import { walletCredit } from './wallet-credit.ts';
import { walletDebit } from './wallet-debit.ts';
import { walletOpen } from './wallet-open.ts';
import { walletUpdate } from './wallet-update.ts';
import { withdrawal } from './withdrawal.ts';

const SINGLE = {
  'user.create': userCreate,
  'user.update': userUpdate,
  'wallet.open': walletOpen,
  'wallet.update': walletUpdate,
  'wallet.credit': walletCredit,
  'wallet.debit': walletDebit,
  transfer,
  'transfer.reverse': transferReverse,
  'hold.place': holdPlace,
  'hold.capture': holdCapture,
  'hold.release': holdRelease,
  'bonus.award': bonusAward,
  'bonus.convert': bonusConvert,
} as const satisfies Record<string, OperationDefinition>;

/** Every operation type: one line each. */
export const OPERATIONS = {
  ...SINGLE,
  batch: defineBatch(SINGLE),
  deposit,
  withdrawal,
  'notification.send': notificationSend,
  'tenant.provision': tenantProvision,
} as const satisfies Record<string, OperationDefinition>;

export type OperationType = keyof typeof OPERATIONS;
/** The types that settle in one transaction each. */
export type AtomicType = {
  [T in OperationType]: (typeof OPERATIONS)[T]['mode'] extends 'atomic' ? T : never;
}[OperationType];
export const OPERATION_TYPES = Object.keys(OPERATIONS) as readonly OperationType[];
