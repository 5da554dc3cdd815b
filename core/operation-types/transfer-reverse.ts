import { z } from 'zod';
import { present } from '../kernel/assert.ts';
import { originOf } from '../kernel/ids.ts';
import { formatMinor, parseMinor } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import type { TransferDoc } from '../ledger/documents.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, description, transferId } from '../operations/inputs.ts';
import { findWallet, pay } from './rules.ts';

export const transferReverse = defineOperation({
  type: 'transfer.reverse',
  version: 1,
  mode: 'atomic',
  summary:
    'Gives back a transfer, in full (what is left of it) or in part; fees are not given back',
  input: z.strictObject({
    transferId,
    amount: amount.exactOptional(),
    description: description.exactOptional(),
  }),
  ordering: (input) => ({ follows: present(originOf('trf', input.transferId), 'the origin') }),
  touches: (input) => ({ transfers: [input.transferId] }),
  decide: (draft, input) => {
    const reversible = findReversible(draft, input);
    if (!reversible.ok) return reversible;
    const { original, left, value } = reversible.value;
    const { currency } = original;
    const from = findWallet(draft, { userId: original.toUserId, currency });
    if (!from.ok) return from;
    const to = findWallet(draft, { userId: original.fromUserId, currency });
    if (!to.ok) return to;
    const paid = pay(draft, {
      from: from.value,
      to: to.value,
      amount: value,
      balanceType: 'real',
      transferId: original._id,
      description: input.description ?? 'reversal',
    });
    if (!paid.ok) return paid;
    draft.putTransfer({
      ...original,
      reversedAmount: original.reversedAmount + value,
      status: value === left ? 'reversed' : 'partially_reversed',
      updatedAt: draft.scope.at,
    });
    const { fromUserId, toUserId } = original;
    draft.emit('transfer.reversed', {
      ...{ transferId: original._id, fromUserId, toUserId },
      ...{ currency, amount: formatMinor(value) },
    });
    return ok({ transferId: original._id, amount: formatMinor(value) });
  },
});

interface Reversible {
  readonly original: TransferDoc;
  readonly left: bigint;
  readonly value: bigint;
}

function findReversible(
  draft: Draft,
  input: { readonly transferId: string; readonly amount?: string },
): Result<Reversible> {
  const original = draft.transfer(input.transferId);
  if (original === undefined || original.tenantId !== draft.scope.tenantId) {
    return refuse('transfer_not_found', `Transfer ${input.transferId} does not exist`);
  }
  const left = original.amount - original.reversedAmount;
  const value = input.amount === undefined ? left : parseMinor(input.amount);
  if (left === 0n || value > left) {
    return refuse(
      'transfer_reversed',
      `${formatMinor(left)} of ${formatMinor(original.amount)} is left to reverse`,
    );
  }
  return ok({ original, left, value });
}
