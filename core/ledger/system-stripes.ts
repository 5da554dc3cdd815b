import { LIMITS } from '../../config/limits.ts';
import { type WalletId, walletIdOf } from '../kernel/ids.ts';
import { type WalletDoc, isSystemUser } from './documents.ts';

/**
 * A balance is an int64, and what a tenant pays in has no limit: a stripe of a system wallet that is
 * full goes on in another, `systemStripes` further. A posting takes the first that is not full, so a
 * reading has to bring every stripe up to that one.
 */

/** Nothing more is posted to it. */
export function isFull(wallet: WalletDoc): boolean {
  return largestOf(wallet) > LIMITS.systemStripeMinorMax;
}

/** It may be full before the batch is over: the next one has to be read along. */
function isFilling(wallet: WalletDoc): boolean {
  return 2n * largestOf(wallet) > LIMITS.systemStripeMinorMax;
}

function largestOf({ balance, bonusBalance, lockedBalance }: WalletDoc): bigint {
  return [balance, bonusBalance, lockedBalance]
    .map((amount) => (amount < 0n ? -amount : amount))
    .reduce((a, b) => (a > b ? a : b));
}

/** Stripes that are read at a time: a chain of any length costs few round trips. */
const WIDTH = 4;
const ROUNDS_MAX = 8;

/** The stripes behind those that were read and are filling up. */
export async function readFurtherStripes(
  read: readonly WalletDoc[],
  find: (ids: readonly WalletId[]) => Promise<readonly WalletDoc[]>,
): Promise<readonly WalletDoc[]> {
  const further: WalletDoc[] = [];
  let ends = read.filter(({ userId }) => isSystemUser(userId)).filter(isFilling);
  let width = 1;
  for (let round = 0; round < ROUNDS_MAX && ends.length > 0; round += 1) {
    const chains = ends.map((end) => idsBehind(end, width));
    const found = new Map((await find(chains.flat())).map((wallet) => [wallet._id, wallet]));
    further.push(...found.values());
    ends = chains.flatMap((ids) => {
      const last = found.get(ids.at(-1) ?? 'wal_');
      return last !== undefined && isFilling(last) ? [last] : [];
    });
    width *= WIDTH;
  }
  return further;
}

function idsBehind({ tenantId, userId, currency }: WalletDoc, width: number): readonly WalletId[] {
  const [name = '', stripe = '0'] = userId.split('#');
  return Array.from({ length: width }, (_, index) => {
    const next = Number.parseInt(stripe, 10) + (index + 1) * LIMITS.systemStripes;
    return walletIdOf(tenantId, `${name}#${next}`, currency);
  });
}
