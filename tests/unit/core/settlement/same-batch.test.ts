import { describe, expect, it } from 'vitest';
import type { OperationType } from '../../../../core/operation-types/registry.ts';
import { operationId, operationOf } from '../../../support/memory-ledger.ts';
import { EUR, createScenario } from '../../../support/scenario.ts';

const ann = { userId: 'ann', ...EUR };

/** Something, and what follows it before it is stored: id of the first in, input of the second out. */
const PAIRS: readonly (readonly [OperationType, object, OperationType, (id: string) => object])[] =
  [
    ['hold.place', { ...ann, amount: 9 }, 'hold.capture', (id) => ({ holdId: `hld_${id}` })],
    [
      'hold.place',
      { ...ann, amount: 9 },
      'hold.capture',
      (id) => ({ holdId: `hld_${id}`, toUserId: 'bob', ...EUR }),
    ],
    ['hold.place', { ...ann, amount: 9 }, 'hold.release', (id) => ({ holdId: `hld_${id}` })],
    [
      'transfer',
      { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 9, fee: 1 },
      'transfer.reverse',
      (id) => ({ transferId: `trf_${id}` }),
    ],
  ];

describe('in one batch', () => {
  it.each(PAIRS)('%s %j is followed by %s', (type, input, nextType, nextInput) => {
    // System wallets are there from before, and nothing else in the batch touches them.
    const { ledger } = createScenario();
    const first = operationOf(type, input, { _id: operationId(900) });
    const next = operationOf(nextType, nextInput(first._id.slice(3)), { _id: operationId(901) });
    const outcomes = ledger.settle([first, next]);
    expect(outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    const sum = [...ledger.wallets.values()].reduce((total, { balance }) => total + balance, 0n);
    expect(sum).toBe(0n);
  });
});
