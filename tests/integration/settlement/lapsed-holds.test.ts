import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import type { HoldDoc } from '../../../core/ledger/documents.ts';
import { explained } from '../../support/explain.ts';
import {
  accept,
  expectSoundLedger,
  openWorld,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';

const PAST = new Date(0);
const OTHERS = 500;

const ofOthers = (index: number): HoldDoc => ({
  _id: `hld_${index.toString(16).padStart(32, '0')}`,
  tenantId: 'default',
  operationId: newOperationId(),
  ...{ userId: `u${index}`, currency: 'EUR', amount: 1n, captured: 0n, released: 0n },
  ...{ status: 'open', expiresAt: PAST, createdAt: PAST, updatedAt: PAST },
});

describe('a wallet whose holds have expired', () => {
  it('is paid from before recovery comes by, at the cost of its own holds', async () => {
    const { node } = await openWorld({ monitor: true });
    const { db } = node.platform.mongo;
    const holds = collection<HoldDoc>(db, 'holds');
    const settler = openSettler(node);
    const ann = { userId: 'ann', currency: 'EUR' };
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const before = await accept(node, [
      submission('user.create', { userId: 'ann', wallets: [{ currency: 'EUR' }] }),
      submission('wallet.credit', { ...ann, amount: 100 }),
      ...[30, 70].map((amount) => submission('hold.place', { ...ann, amount, expiresAt })),
    ]);
    pokeAll(settler);
    await settled(node, before);
    await holds.updateMany({}, { $set: { expiresAt: PAST } });
    const others = Array.from({ length: OTHERS }, (_, index) => ofOthers(index));
    await holds.insertMany(others);

    const [look] = (
      await explained(node, async () => {
        const debit = await accept(node, [submission('wallet.debit', { ...ann, amount: 100 })]);
        pokeAll(settler);
        const [done] = await settled(node, debit);
        expect(done).toMatchObject({ status: 'succeeded' });
      })
    ).filter(({ what }) => what === 'holds.find');
    expect(look?.command['filter']).toHaveProperty('$or');
    expect(look?.keysExamined).toBeLessThan(10);
    expect(look?.stages).not.toContain('SORT');
    expect(look?.stages).not.toContain('COLLSCAN');
    const statuses = (await holds.find({ userId: 'ann' }).toArray()).map(({ status }) => status);
    expect(statuses).toEqual(['expired', 'expired']);
    await holds.deleteMany({ _id: { $in: others.map(({ _id }) => _id) } });
    await expectSoundLedger(node);
  });
});
