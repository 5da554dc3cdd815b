import { z } from 'zod';
import { formatMinor } from '../../core/kernel/money.ts';
import type { WalletDoc } from '../../core/ledger/documents.ts';
import { availableOf } from '../../core/ledger/wallet.ts';
import { queuedOf } from '../../core/operation-types/queued.ts';
import type { QueuedOperations } from '../../core/operations/queued-reads-store.ts';
import type { RequestContext } from '../http/request-context.ts';

/** Query parameter of wallets: what waits to be settled costs look-ups of its own. */
export const queuedQuery = {
  include: z
    .enum(['queued'])
    .exactOptional()
    .meta({
      description:
        '`queued`: what is accepted and not settled as well: `queuedDebit`, `queuedCredit`, ' +
        '`availableAfterQueued`. Without batches, and what names a hold or transfer only',
    }),
};

export const NOT_CACHED = { path: ['include'], message: 'does not go with consistency=cached' };

const TRIES = 3;

interface Waiting {
  readonly wallets: readonly WalletDoc[];
  readonly viewOf: (wallet: WalletDoc) => object;
}

/**
 * A user's wallets with what waits, as of one moment: what settles between two looks would be in both
 * or in neither, so that it is looked again when a wallet has moved meanwhile.
 */
export async function withQueued(
  { services, tenant }: RequestContext,
  userId: string,
  read: () => Promise<readonly WalletDoc[]>,
): Promise<Waiting> {
  const queued = services.queued(tenant);
  const now = new Date(services.clock.now());
  let wallets = await read();
  for (let tries = 1; ; tries += 1) {
    const before = wallets;
    const waiting = await queued.of(userId);
    wallets = await read();
    if (tries === TRIES || isSame(before, wallets)) {
      return { wallets, viewOf: (wallet) => queuedView(wallet, waiting, now) };
    }
  }
}

function isSame(before: readonly WalletDoc[], after: readonly WalletDoc[]): boolean {
  const seqs = (wallets: readonly WalletDoc[]): string => wallets.map(({ seq }) => seq).join(',');
  return seqs(before) === seqs(after);
}

function queuedView(wallet: WalletDoc, { operations, isPartial }: QueuedOperations, now: Date) {
  let [debit, credit] = [0n, 0n];
  for (const operation of operations) {
    if (operation.runAt !== undefined && operation.runAt > now) continue; // its time has not come
    const own = queuedOf(operation, wallet);
    debit += own.debit;
    credit += own.credit;
  }
  return {
    queuedDebit: formatMinor(debit),
    queuedCredit: formatMinor(credit),
    availableAfterQueued: formatMinor(availableOf(wallet) - debit + credit),
    ...(isPartial && { queuedIsPartial: true }),
  };
}
