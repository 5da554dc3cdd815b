import { z } from 'zod';
import type { OperationType } from './registry.ts';
import { parseMinor } from '../kernel/money.ts';

/** What an operation that is accepted will take from a wallet, and bring to it. */
export interface Queued {
  readonly debit: bigint;
  readonly credit: bigint;
}

interface Wallet {
  readonly userId: string;
  readonly currency: string;
}

const inputSchema = z.object({
  userId: z.string().exactOptional(),
  fromUserId: z.string().exactOptional(),
  toUserId: z.string().exactOptional(),
  currency: z.string(),
  amount: z.string(),
  fee: z.string().exactOptional(),
  balanceType: z.string().exactOptional(),
});
type Input = z.infer<typeof inputSchema>;

const NOTHING: Queued = { debit: 0n, credit: 0n };

const feeOf = ({ fee = '0' }: Input): bigint => parseMinor(fee);
const isReal = ({ balanceType = 'real' }: Input): boolean => balanceType === 'real';
const realAmount = (input: Input): bigint => (isReal(input) ? parseMinor(input.amount) : 0n);
const paid = (input: Input): Queued => ({ debit: realAmount(input) + feeOf(input), credit: 0n });

/**
 * Of the types that say in their input whose wallet moves by how much. Deposits are not among them: their
 * money comes when the payment provider says so, if it does.
 */
const BY_TYPE: Partial<Record<OperationType, (input: Input, userId: string) => Queued>> = {
  'wallet.credit': (input) => ({ debit: feeOf(input), credit: realAmount(input) }),
  'wallet.debit': paid,
  'hold.place': paid,
  withdrawal: paid,
  transfer: (input, userId) =>
    input.fromUserId === userId ? paid(input) : { debit: 0n, credit: parseMinor(input.amount) },
};

/** The part of an operation that concerns the real balance of a wallet. Pure. */
export function queuedOf(
  { type, input }: { readonly type: string; readonly input: unknown },
  { userId, currency }: Wallet,
): Queued {
  const effect = Object.entries(BY_TYPE).find(([name]) => name === type)?.[1];
  const parsed = effect === undefined ? undefined : inputSchema.safeParse(input);
  if (parsed?.success !== true || parsed.data.currency !== currency) return NOTHING;
  const { fromUserId, toUserId, userId: own } = parsed.data;
  const isNamed = [own, fromUserId, toUserId].includes(userId);
  return effect === undefined || !isNamed ? NOTHING : effect(parsed.data, userId);
}
