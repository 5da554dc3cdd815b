import type { ErrorCode, Failure } from '../kernel/errors.ts';
import { walletIdOf } from '../kernel/ids.ts';
import type { Result } from '../kernel/result.ts';
import type { Draft, LedgerState } from '../ledger/book.ts';
import type { TransferDoc } from '../ledger/documents.ts';
import { expire, lapsedHolds } from '../ledger/holds.ts';
import type { LapsedReads } from '../ledger/ledger-store.ts';
import { NO_TOUCHES, type TenantTouches, type WalletRef } from './touches.ts';

/**
 * From the expiry of a hold its funds can be spent, though they are locked until recovery comes by.
 * Whoever is refused for want of them gives such holds back itself, by entries of its own, and is
 * decided again. Only such a refusal costs a look at the holds.
 */
export interface Want extends TenantTouches {
  /** Of its decision. */
  readonly at: Date;
}

/** Refusals that there might not have been with less of a wallet locked. */
const WANTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'insufficient_funds',
  'precondition_available',
  'overdraft_in_use',
  'wallet_not_empty',
]);

export function isForWantOfMoney({ code, errors = [] }: Failure): boolean {
  if (WANTS.has(code)) return true;
  const isOf = (detail: string) => [...WANTS].some((want) => detail.startsWith(`${want}: `));
  return code === 'batch_item_rejected' && errors.some(({ detail }) => isOf(detail));
}

interface Decided<T> {
  readonly draft: Draft;
  readonly decision: Result<T>;
}

interface Trial<T> extends TenantTouches {
  /** A draft with nothing in it. */
  readonly open: () => Draft;
  /** Calls `prepare` once it has seen what it must see untouched. */
  readonly decide: (draft: Draft, prepare: () => void) => Result<T>;
  /** Of the holds that may be given back. */
  readonly max?: number;
}

/** Decides, and if money is wanting once more with lapsed holds given back. Pure. */
export function decideTwice<T>(trial: Trial<T>): Decided<T> {
  const { open, decide } = trial;
  const draft = open();
  const decision = decide(draft, () => undefined);
  if (decision.ok || !isForWantOfMoney(decision.failure)) return { draft, decision };
  const again = open();
  const wallets = walletsTouched(trial, (id) => again.transfer(id));
  const lapsed = lapsedHolds(again, wallets).slice(0, trial.max);
  if (lapsed.length === 0) return { draft, decision };
  const second = decide(again, () => {
    expire(again, lapsed);
  });
  return second.ok ? { draft: again, decision: second } : { draft, decision };
}

/** What to look up for those in want, but for wallets that were `looked` at; marks them so. */
export function lapsedReads(
  wants: readonly Want[],
  loaded: LedgerState,
  looked: Set<string>,
): Omit<LapsedReads, 'stripe'> | undefined {
  const wallets: LapsedReads['wallets'][number][] = [];
  for (const want of wants) {
    const { tenantId } = want;
    for (const { userId, currency } of walletsTouched(want, (id) => loaded.transfers.get(id))) {
      const id = walletIdOf(tenantId, userId, currency);
      const wallet = loaded.wallets.get(id);
      if (looked.has(id) || wallet === undefined || wallet.lockedBalance <= 0n) continue;
      looked.add(id);
      wallets.push({ tenantId, userId, currency });
    }
  }
  const until = wants.reduce((last, { at }) => Math.max(last, at.getTime()), 0);
  return wallets.length === 0 ? undefined : { wallets, until: new Date(until) };
}

/** What was found joins what was loaded, which keeps its own documents. */
export function withLapsed(loaded: LedgerState, found: LedgerState): LedgerState {
  return {
    ...loaded,
    wallets: new Map([...found.wallets, ...loaded.wallets]),
    holds: new Map([...found.holds, ...loaded.holds]),
  };
}

/** Those that it might take money from. */
function walletsTouched(
  { tenantId, touches }: TenantTouches,
  transferOf: (id: string) => TransferDoc | undefined,
): readonly WalletRef[] {
  const { wallets, transfers } = { ...NO_TOUCHES, ...touches };
  const refs = new Map<string, WalletRef>();
  const add = ({ userId, currency }: WalletRef): void => {
    refs.set(walletIdOf(tenantId, userId, currency), { userId, currency });
  };
  for (const wallet of wallets) add(wallet);
  for (const id of transfers) {
    const transfer = transferOf(id);
    if (transfer?.tenantId !== tenantId) continue;
    const { fromUserId, toUserId, currency } = transfer;
    for (const userId of [fromUserId, toUserId]) add({ userId, currency });
  }
  return [...refs.values()];
}
