import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../config/limits.ts';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import type { OperationId } from '../../core/kernel/ids.ts';
import { type RepairStore, createRepairStore } from '../../core/operations/repair-store.ts';
import { type JournalStore, createJournalStore } from '../../core/saga/journal-store.ts';
import type { OperationDoc, OperationHead } from '../../core/operations/operation.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';

/** How long an operation keeps its line when workers die and jobs are lost, on the real stores. */
let arena: Arena;
let journal: JournalStore;
let repair: RepairStore;
beforeAll(async () => {
  arena = await openArena();
  journal = createJournalStore(arena.mongo.db);
  repair = createRepairStore(arena.mongo.db, createOutboxStore(arena.mongo.db));
});
afterAll(() => arena.close());

const LEASE_MS = 60_000;
const operations = () => arena.mongo.db.collection<OperationDoc>('operations');

let users = 0;
let owners = 0;
async function standsInLine(): Promise<OperationId> {
  users += 1;
  const input = { userId: `line-${String(users)}`, currency: 'EUR', amount: '10' };
  const [accepted] = await arena.accept([
    { type: 'deposit', input: { ...input, instrument: 'card' } },
  ]);
  if (accepted?.line === undefined) throw new Error('a deposit stands in line');
  return accepted._id;
}

async function claim(id: OperationId, leaseMs: number): Promise<boolean> {
  const [found] = await journal.claim({ ids: [id], owner: `w${String((owners += 1))}`, leaseMs });
  return found !== undefined && 'epoch' in found;
}

async function headOf(id: OperationId): Promise<OperationHead> {
  const found = await operations().findOne({ _id: id });
  if (found === null) throw new Error('it is gone');
  return found;
}

async function heldUntil(id: OperationId): Promise<number> {
  const { lineUntil } = await headOf(id);
  if (lineUntil === undefined) throw new Error('it holds no line');
  return lineUntil.getTime();
}

/** Some of its minute is over. */
async function holdsFor(id: OperationId, leftMs: number): Promise<Date> {
  const { now } = await readDatabaseTime(arena.mongo.db);
  await operations().updateOne(
    { _id: id },
    { $set: { lineUntil: new Date(now.getTime() + leftMs) } },
  );
  return now;
}

const LEFT_MS = 5_000;

describe('the time that dead workers and lost jobs cost is not taken from the minute of a line', () => {
  it('when its job comes again', async () => {
    const id = await standsInLine();
    expect(await claim(id, 1)).toBe(true);
    const now = await holdsFor(id, LEFT_MS);
    await expect.poll(() => claim(id, LEASE_MS), { interval: 5, timeout: 10_000 }).toBe(true);
    expect(await heldUntil(id)).toBeGreaterThanOrEqual(now.getTime() + LIMITS.lineHoldMs);
  });

  it('when the sweeper takes it over', async () => {
    const id = await standsInLine();
    expect(await claim(id, LEASE_MS)).toBe(true);
    const now = await holdsFor(id, LEFT_MS);
    expect(await repair.takeOver(await headOf(id), now)).toBeDefined();
    expect(await heldUntil(id)).toBe(now.getTime() + LIMITS.lineHoldMs);
  });

  it('when the sweeper lets in what waited for its next try, since its job was lost', async () => {
    const id = await standsInLine();
    expect(await claim(id, LEASE_MS)).toBe(true);
    const now = await holdsFor(id, LEFT_MS);
    await operations().updateOne(
      { _id: id },
      { $set: { status: 'waiting', runAt: now }, $unset: { owner: '', leaseUntil: '' } },
    );
    expect(await repair.wake(await headOf(id), now)).toBeDefined();
    expect(await heldUntil(id)).toBe(now.getTime() + LIMITS.lineHoldMs);
  });

  it('but what was given back, and tries again, uses up its one minute', async () => {
    const id = await standsInLine();
    expect(await claim(id, LEASE_MS)).toBe(true);
    await holdsFor(id, LEFT_MS);
    const before = await heldUntil(id);
    await operations().updateOne({ _id: id }, { $unset: { owner: '', leaseUntil: '' } });
    expect(await claim(id, LEASE_MS)).toBe(true);
    expect(await heldUntil(id)).toBe(before);
  });

  it('and what has lost its line does not get it back', async () => {
    const taken = await standsInLine();
    const again = await standsInLine();
    expect(await claim(taken, LEASE_MS)).toBe(true);
    expect(await claim(again, 1)).toBe(true);
    const now = await holdsFor(taken, -1);
    await holdsFor(again, -1);
    const [before, beforeAgain] = [await heldUntil(taken), await heldUntil(again)];
    expect(await repair.takeOver(await headOf(taken), now)).toBeDefined();
    await expect.poll(() => claim(again, LEASE_MS), { interval: 5, timeout: 10_000 }).toBe(true);
    expect([await heldUntil(taken), await heldUntil(again)]).toEqual([before, beforeAgain]);
  });
});
