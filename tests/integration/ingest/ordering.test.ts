import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import { createIngest } from '../../../core/ingest/ingest.ts';
import { type OperationDoc, isOlder, laneOf } from '../../../core/operations/operation.ts';
import { laneQueue } from '../../../queues/catalog.ts';
import {
  type Instance,
  TENANT,
  accept,
  openWorld,
  readOperations,
  submission,
} from '../../support/platform.ts';
import { until } from '../../support/wait.ts';

const credit = (amount: number, userId = 'ann') =>
  submission('wallet.credit', { userId, currency: 'EUR', amount });

/** The ids of operations in the order in which settlement reads them; stamps are MongoDB's. */
async function inOrder(node: Instance, operations: readonly OperationDoc[]): Promise<string[]> {
  const stored = await readOperations(node, operations);
  return [...stored].sort((a, b) => (isOlder(a, b) ? -1 : 1)).map(({ _id }) => _id);
}

const _id = newOperationId();
const idsOf = (operations: readonly OperationDoc[]) => operations.map(({ _id }) => _id);

async function acceptOne(node: Instance, one = credit(1)): Promise<OperationDoc> {
  const [operation] = await accept(node, [one]);
  if (operation === undefined) throw new Error('nothing was accepted');
  return operation;
}

describe('the order of acceptance', () => {
  it('puts what was sent after an answer behind it, across two processes', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    const accepted: OperationDoc[] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      accepted.push(await acceptOne(turn % 2 === 0 ? node : other));
    }
    // Not by their ids, which come from the clocks of two processes.
    const stored = (await readOperations(node, accepted)).map(({ stamp }) => ({ _id, stamp }));
    for (const [index, later] of stored.slice(1).entries()) {
      expect(isOlder(stored[index] ?? later, later)).toBe(true);
    }
    expect(await inOrder(node, accepted)).toEqual(idsOf(accepted));
  });

  it('follows the order of the items inside one request', async () => {
    const { node } = await openWorld();
    const work = Array.from({ length: 100 }, (_, index) => credit(index + 1));
    const operations = await accept(node, work);
    expect(await inOrder(node, operations)).toEqual(idsOf(operations));
  });

  it('follows it also when a request is too large for one group commit', async () => {
    const { node } = await openWorld();
    const size = LIMITS.groupCommitSizeMax;
    const work = Array.from({ length: size * 2 }, (_, index) => credit(index + 1));
    let stored: readonly OperationDoc[] = [];
    let asked = 0;
    const slowAtFirst = createIngest({
      ...node.platform,
      ...{ publisher: node.queues.publisher, backlog: () => false, lanes: 8, laneQueue },
      databaseTime: async () => {
        asked += 1;
        // The first half has bad luck: it goes on when the second is stored, or after a while.
        const isFirst = asked === 1;
        const overtaken = until(() => stored.length > 0, 'the second half is stored', 500);
        if (isFirst) await overtaken.catch(() => undefined);
        return node.databaseTime();
      },
      store: {
        ...node.store,
        insert: async (operations: readonly OperationDoc[]) => {
          const duplicates = await node.store.insert(operations);
          stored = [...stored, ...operations];
          return duplicates;
        },
      },
    });
    const operations = await accept({ ingest: slowAtFirst }, work);
    expect(new Set(operations.map(({ orderingKey }) => orderingKey)).size).toBe(1);
    expect(await inOrder(node, operations)).toEqual(idsOf(operations));
    // Nor could a worker have seen the second half while the first was not there.
    expect(idsOf(stored)).toEqual(idsOf(operations));
  });
});

describe('the line that an operation stands in', () => {
  it.each([
    ['transfer', { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 1 }, 'ann'],
    ['wallet.debit', { userId: 'bob', currency: 'EUR', amount: 1 }, 'bob'],
    ['bonus.award', { userId: 'cyd', currency: 'EUR', amount: 1 }, 'cyd'],
  ] as const)('is that of the user who pays, else is paid: %s', async (type, input, userId) => {
    const { node } = await openWorld();
    const operation = await acceptOne(node, submission(type, input));
    expect(operation.orderingKey).toBe(`${TENANT}|u:${userId}`);
    expect(operation.lane).toBe(laneOf(operation.orderingKey, LIMITS.lanes));
  });

  it("is the client's own when it names one, apart from every user's", async () => {
    const { node } = await openWorld();
    const named = { ...credit(1), orderingKey: 'u:ann' };
    expect((await acceptOne(node, named)).orderingKey).toBe(`${TENANT}|k:u:ann`);
  });

  it.each(['transfer.reverse', 'hold.capture', 'hold.release'] as const)(
    'is that of the operation it follows: %s',
    async (type) => {
      const { node } = await openWorld();
      const isHold = type !== 'transfer.reverse';
      const place = isHold
        ? submission('hold.place', { userId: 'ann', currency: 'EUR', amount: 5 })
        : submission('transfer', { fromUserId: 'ann', toUserId: 'b', currency: 'EUR', amount: 5 });
      const idOf = ({ _id }: OperationDoc) =>
        isHold ? { holdId: `hld_${_id.slice(3)}` } : { transferId: `trf_${_id.slice(3)}` };
      const plain = await acceptOne(node, place);
      expect((await acceptOne(node, submission(type, idOf(plain)))).orderingKey).toBe(
        `${TENANT}|u:ann`,
      );
      const named = await acceptOne(node, { ...place, idempotencyKey: 'named', orderingKey: 'x' });
      expect((await acceptOne(node, submission(type, idOf(named)))).orderingKey).toBe(
        `${TENANT}|k:x`,
      );
      const nowhere = { _id: `op_${'0'.repeat(32)}` } as OperationDoc;
      expect((await acceptOne(node, submission(type, idOf(nowhere)))).orderingKey).toBe(
        `${TENANT}|o:${nowhere._id}`,
      );
    },
  );
});
