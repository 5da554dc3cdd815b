import type { Endpoint } from '../endpoint.ts';
import { getHold } from './holds/get-hold.ts';
import { listHolds } from './holds/list-holds.ts';
import { aliasEndpoints } from './operations/aliases.ts';
import { cancelOperation } from './operations/cancel-operation.ts';
import { getOperation } from './operations/get-operation.ts';
import { getTimeline } from './operations/get-timeline.ts';
import { listOperations } from './operations/list-operations.ts';
import { resolveOperation } from './operations/resolve-operation.ts';
import { retryOperation } from './operations/retry-operation.ts';
import { signalOperation } from './operations/signal-operation.ts';
import { submitBulk } from './operations/submit-bulk.ts';
import { submitOperation } from './operations/submit-operation.ts';
import { openStream } from './stream/open-stream.ts';
import { listTransactions } from './transactions/list-transactions.ts';
import { getTransfer } from './transfers/get-transfer.ts';
import { listTransfers } from './transfers/list-transfers.ts';
import { getUser } from './users/get-user.ts';
import { listUserWallets } from './users/list-user-wallets.ts';
import { getBalance } from './wallets/get-balance.ts';
import { getWallet } from './wallets/get-wallet.ts';
import { listSystemWallets } from './wallets/list-system-wallets.ts';
import { listWalletTransactions } from './wallets/list-wallet-transactions.ts';

/** Every endpoint that needs a key: one line each. The order is that of matching: writes first. */
export const ENDPOINTS: readonly Endpoint[] = [
  submitOperation,
  submitBulk,
  ...aliasEndpoints,
  cancelOperation,
  signalOperation,
  retryOperation,
  resolveOperation,
  getOperation,
  getTimeline,
  listOperations,
  getUser,
  listUserWallets,
  getWallet,
  getBalance,
  listWalletTransactions,
  listSystemWallets,
  listTransactions,
  getTransfer,
  listTransfers,
  getHold,
  listHolds,
  openStream,
];
