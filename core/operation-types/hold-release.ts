import { z } from 'zod';
import { present } from '../kernel/assert.ts';
import { originOf } from '../kernel/ids.ts';
import { formatMinor } from '../kernel/money.ts';
import { ok, refuse } from '../kernel/result.ts';
import { giveBack } from '../ledger/holds.ts';
import { defineOperation } from '../operations/define.ts';
import { holdId } from '../operations/inputs.ts';
import { findWallet } from './rules.ts';

export const holdRelease = defineOperation({
  type: 'hold.release',
  version: 1,
  mode: 'atomic',
  summary: 'Gives what is left of a hold back to its wallet',
  input: z.strictObject({ holdId }),
  ordering: (input) => ({ follows: present(originOf('hld', input.holdId), 'the origin') }),
  touches: (input) => ({ holds: [input.holdId] }),
  decide: (draft, input) => {
    const hold = draft.hold(input.holdId);
    if (hold === undefined || hold.tenantId !== draft.scope.tenantId) {
      return refuse('hold_not_found', `Hold ${input.holdId} does not exist`);
    }
    if (hold.managedBy !== undefined) {
      return refuse('hold_managed', `Hold ${input.holdId} belongs to a ${hold.managedBy}`);
    }
    if (hold.status !== 'open') {
      return refuse('hold_not_open', `Hold ${input.holdId} is ${hold.status}`);
    }
    const wallet = findWallet(draft, hold);
    if (!wallet.ok) return wallet;
    const left = giveBack(draft, hold, wallet.value);
    return ok({ holdId: hold._id, released: formatMinor(left) });
  },
});
