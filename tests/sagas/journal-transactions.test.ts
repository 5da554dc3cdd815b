import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import type { OperationId } from '../../core/kernel/ids.ts';
import { createLedgerStore } from '../../core/ledger/ledger-store.ts';
import { createSagaJournal } from '../../core/saga/journal-group.ts';
import { type JournalStore, createJournalStore } from '../../core/saga/journal-store.ts';
import type { Commit, SagaJournal } from '../../core/saga/journal.ts';
import type { Claim } from '../../core/operations/claim.ts';
import { openLines } from '../../core/operations/lines.ts';
import { NEW_SAGA } from '../../core/saga/machine.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';

/** Many journal writes in one transaction, by id alone: the snapshot is the compare-and-set. */
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

const COUNT = 8;
const LEASE_MS = 60_000;
const operations = () =>
  arena.mongo.db.collection<OperationDoc>('operations', { useBigInt64: true });

let users = 0;
async function claimed(): Promise<readonly Claim[]> {
  const requests = Array.from({ length: COUNT }, () => {
    users += 1;
    const userId = `t${String(users)}`;
    const content = { subject: 'Hello', text: 'x' };
    return { type: 'notification.send', input: { channels: ['realtime'], userId, content } };
  });
  const ids = (await arena.accept(requests)).map(({ _id }) => _id);
  const store = createJournalStore(arena.mongo.db);
  const found = await store.claim({ ids, owner: 'first/x', leaseMs: LEASE_MS });
  return found.map((one) => {
    if (!('epoch' in one)) throw new Error('not claimed');
    return one;
  });
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

/** The store, where something happens between what a transaction has read and what it writes. */
function afterSnapshot(happens: () => Promise<unknown>): JournalStore & { tries: () => number } {
  const store = createJournalStore(arena.mongo.db);
  let tries = 0;
  return {
    ...store,
    tries: () => tries,
    writeRead: async (writes, session) => {
      tries += 1;
      if (tries === 1) await happens();
      await store.writeRead(writes, session);
    },
  };
}

const commitOf = ({ operation, epoch, at }: Claim, extra: Partial<Commit> = {}): Commit => ({
  ref: { operation, epoch, rev: operation.rev ?? 0, isInLine: false },
  guard: {},
  change: { state: NEW_SAGA, lease: 'keep', status: 'running', events: [], at },
  ...extra,
});

const kinds = async (journal: SagaJournal, commits: readonly Commit[]) =>
  (await Promise.all(commits.map((commit) => journal.commit(commit)))).map(({ kind }) => kind);

const expected = (first: string) => [first, ...Array.from({ length: COUNT - 1 }, () => 'written')];

async function revsOf(claims: readonly Claim[]): Promise<readonly unknown[]> {
  const found = await Promise.all(claims.map(({ operation }) => arena.operation(operation._id)));
  return found.map(({ rev }) => rev);
}

const touch = (id: OperationId, fields: Partial<OperationDoc>) =>
  operations().updateOne({ _id: id }, { $set: fields });

describe('journal writes that share a transaction', () => {
  const CHANGES = [
    ['is claimed by another', { epoch: 9 }, {}, 'fenced'],
    [
      'is canceled',
      { cancelRequested: { by: 'x', at: new Date() } },
      { cancel: true },
      'overtaken',
    ],
    [
      'gets the signal that it minds',
      { signals: { go: { by: 'x', at: new Date(), data: true } } },
      { signal: 'go' },
      'overtaken',
    ],
  ] as const;

  it.each(CHANGES)(
    'leave out one that %s after the snapshot was taken, and the others are written',
    async (_what, fields, guard, kind) => {
      const claims = await claimed();
      const [first] = claims;
      if (first === undefined) throw new Error('nothing was claimed');
      const { _id } = first.operation;
      const store = afterSnapshot(() => touch(_id, fields));
      const commits = claims.map((claim) => commitOf(claim, { guard }));
      expect(await kinds(journalOn(store), commits)).toEqual(expected(kind));
      expect(store.tries()).toBe(2); // the server has told of the conflict
      expect(await revsOf(claims)).toEqual([0, ...Array.from({ length: COUNT - 1 }, () => 1)]);
    },
  );

  it('are made once though one of them had moved before: nobody is repeated for it', async () => {
    const claims = await claimed();
    const [first] = claims;
    if (first === undefined) throw new Error('nothing was claimed');
    await touch(first.operation._id, { epoch: 9 });
    const store = afterSnapshot(async () => undefined);
    expect(
      await kinds(
        journalOn(store),
        claims.map((claim) => commitOf(claim)),
      ),
    ).toEqual(expected('fenced'));
    expect(store.tries()).toBe(1);
  });

  it('that repeat a write of which the answer was lost take what is stored for what it became', async () => {
    const claims = await claimed();
    const commits = claims.map((claim) => commitOf(claim));
    const journal = journalOn(createJournalStore(arena.mongo.db));
    await kinds(journal, commits);
    // As the first attempt, decided on an older ledger, may have stored it.
    const [first] = claims;
    await touch(first?.operation._id ?? 'op_', { pivotPassed: true });
    const outcomes = await Promise.all(commits.map((commit) => journal.commit(commit)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(expected('written'));
    const states = outcomes.map((one) => one.kind === 'written' && one.change.state.pivotPassed);
    expect(states).toEqual([true, ...Array.from({ length: COUNT - 1 }, () => false)]);
    expect(await revsOf(claims)).toEqual(Array.from({ length: COUNT }, () => 1));
  });

  it('let go of one that knows something from outside when others are in the way', async () => {
    const claims = await claimed();
    const [first, second] = claims;
    if (first === undefined || second === undefined) throw new Error('nothing was claimed');
    const store = afterSnapshot(() => touch(second.operation._id, { recoveries: 1 }));
    const commits = claims.map((claim, index): Commit => {
      const { ref, guard, change } = commitOf(claim) as Extract<Commit, { change: unknown }>;
      const fuse = { state: NEW_SAGA, parts: [], changeOf: () => change };
      return { ref, guard, fuse, holdsOutcome: index === 0 };
    });
    expect(await kinds(journalOn(store), commits)).toEqual(expected('aborted'));
    expect((await revsOf(claims))[0]).toBe(0);
  });
});
