import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { systemClock } from '../../../../core/kernel/clock.ts';
import {
  createCooling,
  createFlight,
  selectOrLookFurther,
} from '../../../../core/settlement/lane-selection.ts';
import { OPERATIONS } from '../../../../core/operation-types/registry.ts';
import { bindOperation } from '../../../../core/settlement/decide.ts';
import type { OperationDoc } from '../../../../core/operations/operation.ts';
import { operationId, operationOf } from '../../../support/memory-ledger.ts';

const LARGE = 850_000;
const MANY = 400;

/** As many waiting requests as a look at a lane returns, each nearly as large as a request may be. */
function waiting() {
  const docs = Array.from({ length: MANY }, (_, index): OperationDoc => {
    const line = `line-${index}`;
    const input = { userId: `u${index}`, currency: 'EUR', amount: 1 };
    const extras = { _id: operationId(index), orderingKey: line };
    return operationOf('wallet.credit', input, extras);
  });
  const rows = docs.map(({ input: _left, ...row }) => ({ ...row, inputBytes: LARGE }));
  return { rows, byId: new Map<string, OperationDoc>(docs.map((doc) => [doc._id, doc])) };
}

function selector() {
  const bind = (operation: OperationDoc) => bindOperation(OPERATIONS, operation);
  const flight = createFlight(() => 1);
  const batchMax = () => LIMITS.settlementBatchMax;
  const onBlocked = () => undefined;
  return { flight, cooling: createCooling(systemClock), bind, onBlocked, batchMax };
}

describe('a lane of large requests', () => {
  it('is read in parts: no look at it brings more into memory than a batch may have', async () => {
    const { rows, byId } = waiting();
    const asked: (readonly string[])[] = [];
    const selection = await selectOrLookFurther(rows, selector(), {
      isComplete: false,
      readWhole: async (ids) => {
        asked.push(ids);
        return Promise.resolve(byId);
      },
      readWithout: async () => Promise.resolve([]),
    });
    const [ids = [], ...more] = asked;
    expect(more).toEqual([]);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length * LARGE).toBeLessThanOrEqual(LIMITS.settlementBytesMax);
    expect(selection.batch.map(({ one }) => one.operation._id)).toEqual(ids);
    expect(selection.isHeldBack).toBe(true);
  });

  it('of which the first is larger than a batch may have settles all the same', async () => {
    const { rows, byId } = waiting();
    const huge = rows.slice(0, 2).map((row) => ({
      ...row,
      inputBytes: LIMITS.settlementBytesMax * 2,
    }));
    const selection = await selectOrLookFurther(huge, selector(), {
      isComplete: true,
      readWhole: async () => Promise.resolve(byId),
      readWithout: async () => Promise.resolve([]),
    });
    expect(selection.batch).toHaveLength(1);
  });
});
