import { type OperationId, walletIdOf } from '../../core/kernel/ids.ts';
import { TENANT } from './load.ts';
import { createRandom } from './random.ts';
import { CURRENCY, userName } from './transfers.ts';

export const READS = ['wallet', 'balance', 'wallets', 'operation'] as const;
export type ReadKind = (typeof READS)[number];

export interface Reads {
  readonly what: ReadKind;
  /** Behind each path, as `?consistency=cached`. */
  readonly query: string;
  readonly count: number;
  readonly wallets: number;
  readonly seed: number;
}

/** How uneven: the wallet of rank r is read r^-1.1 times as often as the first. */
const EXPONENT = 1.1;

/** What is read, in order: few wallets often, most of them hardly ever (Zipf). */
export function readPaths({ what, query, count, wallets, seed }: Reads): readonly string[] {
  const random = createRandom(seed);
  const sums = zipfSums(wallets);
  return Array.from(
    { length: count },
    () => `${pathOf(what, rankOf(sums, random() * (sums.at(-1) ?? 0)))}${query}`,
  );
}

function zipfSums(count: number): Float64Array {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += (rank + 1) ** -EXPONENT;
    sums[rank] = sum;
  }
  return sums;
}

/** The first whose sum is beyond what was drawn. */
function rankOf(sums: Float64Array, drawn: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] ?? 0) > drawn) high = middle;
    else low = middle + 1;
  }
  return low;
}

function pathOf(what: ReadKind, index: number): string {
  const user = userName(index);
  const wallet = `/v1/wallets/${walletIdOf(TENANT, user, CURRENCY)}`;
  switch (what) {
    case 'wallet':
      return wallet;
    case 'balance':
      return `${wallet}/balance`;
    case 'wallets':
      return `/v1/users/${user}/wallets`;
    case 'operation':
      return `/v1/operations/${storedOperationId(index)}`;
  }
}

/** Of the operations that are there before anything is read. */
export function storedOperationId(index: number): OperationId {
  return `op_${index.toString(16).padStart(32, '0')}`;
}
