import { z } from 'zod';
import { derivedId } from '../kernel/ids.ts';
import { parseMinor } from '../kernel/money.ts';
import { ok } from '../kernel/result.ts';
import { defineOperation } from '../operations/define.ts';
import { amount, currency, description, fee, userId } from '../operations/inputs.ts';
import { findWallet, pay, payFee } from './rules.ts';

export const transfer = defineOperation({
  type: 'transfer',
  version: 1,
  mode: 'atomic',
  summary: 'Moves money between the wallets of two users; the payer pays the fee on top',
  input: z
    .strictObject({
      fromUserId: userId,
      toUserId: userId,
      currency,
      amount,
      fee: fee.exactOptional(),
      description: description.exactOptional(),
    })
    .refine((input) => input.fromUserId !== input.toUserId, {
      path: ['toUserId'],
      message: 'must differ from fromUserId',
    }),
  ordering: (input) => ({ user: input.fromUserId }),
  mainWallet: (input) => ({ userId: input.fromUserId, currency: input.currency }),
  touches: (input) => ({
    wallets: [
      { userId: input.fromUserId, currency: input.currency },
      { userId: input.toUserId, currency: input.currency },
    ],
    ...(input.fee !== undefined && {
      systems: [{ name: 'fees' as const, currency: input.currency }],
    }),
  }),
  decide: (draft, input, origin) => {
    const { tenantId, operationId, at } = draft.scope;
    const payer = { userId: input.fromUserId, currency: input.currency };
    const from = findWallet(draft, payer);
    if (!from.ok) return from;
    const to = findWallet(draft, { userId: input.toUserId, currency: input.currency });
    if (!to.ok) return to;
    const transferId = derivedId('trf', origin);
    const text = input.description === undefined ? {} : { description: input.description };
    const value = parseMinor(input.amount);
    const paid = pay(draft, {
      ...text,
      from: from.value,
      to: to.value,
      amount: value,
      balanceType: 'real',
      transferId,
    });
    if (!paid.ok) return paid;
    const fee = payFee(draft, { ...input, ...payer }, { transferId });
    if (!fee.ok) return fee;
    draft.putTransfer({
      ...text,
      _id: transferId,
      tenantId,
      operationId,
      fromUserId: input.fromUserId,
      toUserId: input.toUserId,
      currency: input.currency,
      amount: value,
      fee: parseMinor(input.fee ?? '0'),
      status: 'settled',
      reversedAmount: 0n,
      createdAt: at,
      updatedAt: at,
    });
    const { fromUserId, toUserId, currency } = input;
    draft.emit('transfer.settled', {
      ...{ transferId, fromUserId, toUserId },
      ...{ currency, amount: input.amount },
    });
    return ok(undefined);
  },
  describe: (_input, origin) => ({ transferId: derivedId('trf', origin) }),
});
