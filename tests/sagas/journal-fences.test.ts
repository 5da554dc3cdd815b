import type { Collection, Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import { createLedgerStore } from '../../core/ledger/ledger-store.ts';
import { createRepairStore } from '../../core/operations/repair-store.ts';
import { openLines } from '../../core/operations/lines.ts';
import { NEW_SAGA } from '../../core/saga/machine.ts';
import { createSagaJournal } from '../../core/saga/journal-group.ts';
import {
  type JournalStore,
  type JournalWrite,
  createJournalStore,
} from '../../core/saga/journal-store.ts';
import type { JournalChange, SagaJournal } from '../../core/saga/journal.ts';
import type { Claim } from '../../core/operations/claim.ts';
import type { OperationId } from '../../core/kernel/ids.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';

/** The journal on the real store: who may write, and whom a bad one hurts. */
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

const LEASE_MS = 60_000;
const operations = () =>
  arena.mongo.db.collection<OperationDoc>('operations', { useBigInt64: true });

let tenants = 0;
async function accepted(count: number): Promise<readonly OperationId[]> {
  const requests = Array.from({ length: count }, () => {
    tenants += 1;
    const firstKey = { id: `fence${String(tenants)}`, secretHash: 'h'.repeat(43) };
    return { type: 'tenant.provision', input: { tenant: `fence-${String(tenants)}`, firstKey } };
  });
  return (await arena.accept(requests)).map(({ _id }) => _id);
}

async function claimed(owner: string, ids: readonly OperationId[]): Promise<readonly Claim[]> {
  const found = await createJournalStore(arena.mongo.db).claim({ ids, owner, leaseMs: LEASE_MS });
  return found.map((one) => {
    if (!('epoch' in one)) throw new Error('not claimed');
    return one;
  });
}

const going: Omit<JournalChange, 'at'> = {
  state: NEW_SAGA,
  lease: 'keep',
  status: 'running',
  events: [],
};

function writeOf({ operation, epoch, at }: Claim, change: Partial<JournalChange> = {}) {
  const ref = { operation, epoch, rev: operation.rev ?? 0, isInLine: false };
  return { ref, guard: {}, change: { ...going, at, ...change } } satisfies JournalWrite;
}

function journalOn(store: JournalStore): SagaJournal {
  const { db, client } = arena.mongo;
  return createSagaJournal({
    workerId: 'test',
    store,
    ledger: createLedgerStore(client, db),
    outbox: createOutboxStore(db),
    publisher: arena.publisher,
    lines: openLines(db, arena.publisher),
    databaseTime: () => readDatabaseTime(db),
    clock: systemClock,
    random: () => 0.5,
    failpoint: noFailpoint,
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
    leaseMs: LEASE_MS,
    stripeOf: (slot) => slot,
  });
}

/** What recovery does to a saga whose worker seems dead; then another worker claims it. */
async function takenOver(id: OperationId): Promise<Claim> {
  const { db } = arena.mongo;
  await operations().updateOne({ _id: id }, { $set: { leaseUntil: new Date(0) } });
  const { now } = await readDatabaseTime(db);
  const repairs = createRepairStore(db, createOutboxStore(db));
  expect(await repairs.takeOver(await arena.operation(id), now)).toBeDefined();
  const [claim] = await claimed('second/x', [id]);
  if (claim === undefined) throw new Error('not claimed again');
  return claim;
}

describe('the journal of a saga that was taken over', () => {
  it.each(['alone', 'in a transaction'])(
    'takes no write of the worker before, though nobody has written since: %s',
    async (how) => {
      const [id] = await accepted(1);
      const [first] = await claimed('first/x', id === undefined ? [] : [id]);
      if (id === undefined || first === undefined) throw new Error('nothing to claim');
      const second = await takenOver(id);
      expect(second.operation.rev).toBe(first.operation.rev); // only the epoch tells them apart
      const journal = journalOn(createJournalStore(arena.mongo.db));
      const write = async (claim: Claim): Promise<boolean> => {
        const { ref, guard, change } = writeOf(claim);
        const fuse = { state: change.state, parts: [], changeOf: () => change };
        const commit =
          how === 'alone' ? { ref, guard, change } : { ref, guard, fuse, holdsOutcome: false };
        return (await journal.commit(commit)).kind === 'written';
      };
      const before = await arena.operation(id);
      expect(await write(first)).toBe(false);
      expect(await arena.operation(id)).toEqual(before);
      expect(await write(second)).toBe(true);
    },
  );
});

/** The database, where something happens just before it is asked for documents by a pipeline. */
function beforeAggregate(db: Db, happens: () => Promise<unknown>): Db {
  const delayed = (collection: Collection) =>
    new Proxy(collection, {
      get: (target, property) => {
        if (property !== 'aggregate') return Reflect.get(target, property) as unknown;
        return (...call: Parameters<Collection['aggregate']>) => ({
          toArray: async () => {
            await happens();
            return target.aggregate(...call).toArray();
          },
        });
      },
    });
  return new Proxy(db, {
    get: (target, property) =>
      property === 'collection'
        ? (...call: Parameters<Db['collection']>) => delayed(target.collection(...call))
        : (Reflect.get(target, property) as unknown),
  });
}

describe('sagas that share a round trip', () => {
  it('are claimed though one of them is given back between the two statements of the claim', async () => {
    const [back, ...others] = await accepted(4);
    if (back === undefined) throw new Error('nothing accepted');
    await claimed('another/x', [back]);
    const giveBack = (): Promise<unknown> =>
      operations().updateOne(
        { _id: back },
        { $set: { status: 'accepted' }, $unset: { owner: '', leaseUntil: '' } },
      );
    const store = createJournalStore(beforeAggregate(arena.mongo.db, giveBack));
    const ids = [back, ...others];
    const claims = await store.claim({ ids, owner: 'third/x', leaseMs: LEASE_MS });
    expect(claims[0]).toEqual({ busyForMs: 0 }); // free by now: its job comes again
    expect(claims.slice(1).map((one) => 'epoch' in one)).toEqual([true, true, true]);
  });

  it('are written though one of them cannot be, which alone is told so', async () => {
    const ids = await accepted(3);
    const claims = await claimed('fourth/x', ids);
    const store = createJournalStore(arena.mongo.db);
    const journal = journalOn(store);
    // More than a document may hold.
    const large = { code: 'internal', detail: 'x'.repeat(17_000_000) } as const;
    const commits = claims.map((claim, index) =>
      writeOf(claim, index === 1 ? { error: large } : {}),
    );
    const outcomes = await Promise.allSettled(commits.map((commit) => journal.commit(commit)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const stored = await Promise.all(ids.map((id) => arena.operation(id)));
    expect(stored.map(({ rev }) => rev)).toEqual([1, 0, 1]);
  });
});

const storeOf = (): JournalStore => createJournalStore(arena.mongo.db);

async function oneClaimed(owner: string): Promise<Claim> {
  const [claim] = await claimed(owner, await accepted(1));
  if (claim === undefined) throw new Error('nothing to claim');
  return claim;
}

/** What another worker gets that asks for an operation, and what that changes of it. */
async function askedFor({ _id }: Pick<OperationDoc, '_id'>) {
  const before = await arena.operation(_id);
  const [answer] = await storeOf().claim({ ids: [_id], owner: 'other/x', leaseMs: LEASE_MS });
  const after = await arena.operation(_id);
  return { answer, isUntouched: after.epoch === before.epoch && after.owner === before.owner };
}

describe('a claim', () => {
  it('whose lease runs is nobody else’s, who is told when to come again', async () => {
    const { operation } = await oneClaimed('fifth/x');
    const { answer, isUntouched } = await askedFor(operation);
    expect(answer).toEqual({ busyForMs: expect.any(Number) as number });
    expect(answer).not.toEqual({ busyForMs: 0 });
    expect(isUntouched).toBe(true);
  });

  it('is not to be had before the time to which a way back was put off', async () => {
    const { operation } = await oneClaimed('sixth/x');
    const { _id } = operation;
    const later = { status: 'compensating', runAt: new Date(Date.now() + 3_600_000) } as const;
    await operations().updateOne({ _id }, { $set: later, $unset: { owner: '', leaseUntil: '' } });
    const { answer, isUntouched } = await askedFor(operation);
    expect(answer).not.toHaveProperty('epoch');
    expect(isUntouched).toBe(true);
  });

  it.each(['waiting', 'succeeded', 'needs_attention'] as const)(
    'of one that is %s is nobody’s',
    async (status) => {
      const { operation } = await oneClaimed('seventh/x');
      const { _id } = operation;
      await operations().updateOne({ _id }, { $set: { status, leaseUntil: new Date(0) } });
      expect(await askedFor(operation)).toEqual({ answer: {}, isUntouched: true });
    },
  );

  it('is renewed by whoever has it, not by the worker before', async () => {
    const first = await oneClaimed('eighth/x');
    const { _id: operationId } = first.operation;
    const second = await takenOver(operationId);
    const { leaseUntil } = await arena.operation(operationId);
    const renew = ({ epoch }: Claim) => storeOf().renew([{ operationId, epoch }], 10 * LEASE_MS);
    expect(await renew(first)).toEqual([{ isOurs: false, isCancelRequested: false }]);
    expect((await arena.operation(operationId)).leaseUntil).toEqual(leaseUntil);
    expect(await renew(second)).toEqual([{ isOurs: true, isCancelRequested: false }]);
    const renewed = (await arena.operation(operationId)).leaseUntil?.getTime() ?? 0;
    expect(renewed).toBeGreaterThan(leaseUntil?.getTime() ?? Infinity);
  });
});

describe('a write of the journal', () => {
  it('misses when a cancel or the awaited signal has come meanwhile, and it minds that', async () => {
    for (const [guard, field] of [
      [{ cancel: true }, { cancelRequested: { by: 'x', at: new Date() } }],
      [{ signal: 'go' }, { signals: { go: { by: 'x', at: new Date(), data: true } } }],
    ] as const) {
      const claim = await oneClaimed('ninth/x');
      const { _id } = claim.operation;
      await operations().updateOne({ _id }, { $set: field as Partial<OperationDoc> });
      expect(await storeOf().write([{ ...writeOf(claim), guard }])).toBe(false);
      expect(await storeOf().write([writeOf(claim)])).toBe(true);
    }
  });

  it('puts a time to wake up, and takes it away with the next', async () => {
    const claim = await oneClaimed('tenth/x');
    const { _id } = claim.operation;
    const wakeAt = new Date(Date.now() + 60_000);
    const waiting = { lease: 'wait', status: 'waiting', wakeAt } as const;
    expect(await storeOf().write([writeOf(claim, waiting)])).toBe(true);
    expect(await arena.operation(_id)).toMatchObject({ runAt: wakeAt, nextCheckAt: wakeAt });
    const { operation, ...rest } = claim;
    const next = { ...rest, operation: { ...operation, rev: 1 } };
    expect(await storeOf().write([writeOf(next)])).toBe(true);
    expect(await arena.operation(_id)).not.toHaveProperty('runAt');
  });
});
