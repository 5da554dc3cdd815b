import type { Db } from 'mongodb';
import { collection } from '../../../core/infra/collections.ts';
import { createRedispatchStore } from '../../../core/operations/redispatch-store.ts';
import { createRecoveryStore } from '../../../core/operations/recovery-store.ts';
import { createRepairStore } from '../../../core/operations/repair-store.ts';
import { createInterventionStore } from '../../../core/operations/intervention-store.ts';
import { createJournalStore } from '../../../core/saga/journal-store.ts';
import { createLayoutStore } from '../../../core/operations/layout-store.ts';
import { createLineStore } from '../../../core/operations/line-store.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import type { OperationFilter } from '../../../core/operations/operation-filter.ts';
import { createListReads } from '../../../core/infra/reads/list-reads.ts';
import { createQueuedReads } from '../../../core/operations/queued-reads-store.ts';
import { createOperationReads } from '../../../core/operations/operation-reads-store.ts';
import type { OutboxRow } from '../../../core/events/outbox.ts';
import { createOperationStore } from '../../../core/operations/operation-store.ts';
import { createSettleStore } from '../../../core/operations/settle-store.ts';
import { createOutboxStore } from '../../../core/events/outbox-store.ts';
import { STATUSES } from '../../../core/operations/status.ts';
import { createStatusCounts } from '../../../core/operations/status-counts-store.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { TENANT } from '../platform.ts';
import { FUTURE, PAST, SAGA, operation } from './piles.ts';
import type { Call } from './every-query.ts';

const scope = { tenantId: TENANT, currencies: [] };
const LINES = [`${TENANT}|u:hot`, `${TENANT}|u:nobody`];
const page = { limit: 5 };

/** Operations of this world's own, in the states that the stores ask for. */
async function some(db: Db, fields: object, count = 3): Promise<readonly OperationDoc[]> {
  const docs = Array.from({ length: count }, () => operation(fields) as unknown as OperationDoc);
  await collection<OperationDoc>(db, 'operations').insertMany([...docs]);
  return docs;
}

const first = <T>(list: readonly T[]): T => {
  const [one] = list;
  if (one === undefined) throw new Error('there is none');
  return one;
};

const ids = (operations: readonly OperationDoc[]) => operations.map(({ _id }) => _id);

export function operationCalls(db: Db): readonly Call[] {
  return [
    ...laneCalls(db),
    ...lineCalls(db),
    ...sagaCalls(db),
    ...recoveryCalls(db),
    ...listCalls(db),
  ];
}

function laneCalls(db: Db): readonly Call[] {
  const store = createOperationStore(db);
  const settling = createSettleStore(db);
  const layouts = createLayoutStore(db);
  const inSession = (
    work: (session: Parameters<typeof settling.oldestOpen>[0]) => Promise<unknown>,
  ) => db.client.withSession((session) => session.withTransaction(() => work(session)));
  const stamp = { worker: 'w', batch: 'b', at: FUTURE };
  return [
    async () => store.findByKeys(await some(db, {})),
    async () => store.orderingKeys(TENANT, ids(await some(db, {}))),
    () => store.openInLanes([0, 1], 5),
    () => store.openBesides([0, 1], { lines: LINES, after: LINES[0] ?? '', limit: 5 }),
    async () => store.whole(ids(await some(db, {}))),
    () => store.countOpen(5),
    () => store.countOpen(5, TENANT),
    () => store.oldestOpen([0, 1]),
    async () => {
      const [plain, other] = [await some(db, { lane: 0 }), await some(db, { lane: 0 })];
      const finishes = [
        ...plain.map((one) => ({ operation: one, status: 'succeeded' as const })),
        ...other.map((one) => ({ operation: one, status: 'rejected' as const })),
      ];
      await inSession((session) => settling.finish(session, finishes, stamp));
    },
    async () => {
      const failure = { code: 'poison_operation', detail: 'x' } as const;
      await settling.park(first(await some(db, { lane: 0 })), { ...stamp, failure });
    },
    async () => settling.count(ids(await some(db, {})), 1),
    () => inSession((session) => settling.oldestOpen(session, LINES)),
    () => layouts.open([]),
    () => layouts.open([8, 12]),
    () => layouts.heads(0, LINES),
    () => inSession((session) => settling.creatingElsewhere(session, LINES)),
  ];
}

function lineCalls(db: Db): readonly Call[] {
  const store = createLineStore(db);
  const own = { orderingKey: `${TENANT}|u:own`, line: `${TENANT}|u:own`, status: 'waiting' };
  return [
    async () => {
      await some(db, own);
      await store.heads([own.line]);
    },
    () => store.oldestInLanes(LINES),
    () => store.creating(LINES),
    () => store.inLine(LINES, 5),
    async () => store.putInLine(ids(await some(db, { lane: 0 })), 1_000),
    async () => store.giveBack(ids(await some(db, { status: 'running', owner: 'w' })), 'w', 1_000),
    async () => store.shorten(first(await some(db, { owner: 'w' }))._id, 'w', FUTURE),
    async () => store.letIn(ids(await some(db, own))),
    async () => store.checkBy(ids(await some(db, { ...own, nextCheckAt: FUTURE })), PAST),
  ];
}

function sagaCalls(db: Db): readonly Call[] {
  const journal = createJournalStore(db);
  const interventions = createInterventionStore(db, createOutboxStore(db));
  const state = { status: 'running', steps: [], pivotPassed: false } as const;
  const change = { state, status: 'running', lease: 'keep', events: [], at: FUTURE } as const;
  const resolve = { kind: 'resolve', actor: 'a', note: 'n', status: 'succeeded' } as const;
  const parked = { status: 'needs_attention' };
  return [
    async () => journal.claim({ ids: ids(await some(db, {})), owner: 'w', leaseMs: 1_000 }),
    async () => {
      const ref = {
        operation: first(await some(db, { rev: 0 })),
        isInLine: false,
        epoch: 0,
        rev: 0,
      };
      await journal.write([{ ref, guard: {}, change }]);
    },
    async () => journal.places(ids(await some(db, {}))),
    async () => journal.stored(first(await some(db, {}))._id),
    async () => {
      const operation = first(await some(db, { status: 'running' }));
      const ref = { operation, isInLine: false, epoch: 0, rev: 0 };
      await db.client.withSession((session) =>
        session.withTransaction(() => journal.writeRead([{ ref, guard: {}, change }], session)),
      );
    },
    async () => {
      const leased = await some(db, { status: 'running', leaseUntil: FUTURE });
      await journal.renew(
        leased.map(({ _id }) => ({ operationId: _id, epoch: 0 })),
        1_000,
      );
    },
    async () => {
      const { _id: id } = first(await some(db, parked));
      await interventions.intervene(scope, { id, action: resolve, readSignal: () => null });
      await interventions.auditOf(scope, id);
    },
    () => createStatusCounts(db, systemClock)(),
    ...outboxCalls(db),
  ];
}

function outboxCalls(db: Db): readonly Call[] {
  const outbox = createOutboxStore(db);
  const turns = [{ operationId: 'op_mine' as const, turn: 2 }];
  return [
    () => outbox.after(undefined, 5),
    () => outbox.after('obx_other-1', 5),
    async () => {
      const stale = { _id: 'obx_stale', tenantId: TENANT, events: [], createdAt: PAST };
      await collection<OutboxRow>(db, 'outbox').insertOne({ ...stale, nextCheckAt: PAST });
      await outbox.takeStale(5, 1_000);
    },
    () => outbox.find('obx_other-1'),
    () => outbox.isEarly({ _id: 'obx_mine', turns }),
    () => outbox.remove('obx_other-1'),
  ];
}

function recoveryCalls(db: Db): readonly Call[] {
  const store = createRecoveryStore(db);
  const repairs = createRepairStore(db, createOutboxStore(db));
  const redispatch = createRedispatchStore(db);
  const now = new Date();
  const amongst = [{ lane: 1 }, 'stepwise', 'compensating'] as const;
  return [
    ...amongst.map((among) => () => store.findOverdue(now, among, 5)),
    async () => {
      const [after] = await some(db, { nextCheckAt: PAST, dispatch: SAGA });
      await store.findNews({ from: PAST, by: now, after: undefined }, 5);
      await store.findNews({ from: PAST, by: now, after }, 5);
    },
    async () => store.dispatchOf(ids(await some(db, {}))),
    async () => store.putOff(await some(db, {}), now, 1_000),
    async () => store.redispatch(await some(db, {}), now),
    () => store.oldestOpen(),
    () => store.openLanes(),
    () => repairs.findOverdue({ now, statuses: ['waiting'], limit: 5 }),
    () => repairs.findOverdue({ now, statuses: ['running', 'waiting', 'compensating'], limit: 5 }),
    async () => repairs.takeOver(first(await some(db, { status: 'running' })), now),
    async () => repairs.park(first(await some(db, { status: 'running' })), now),
    async () => {
      const { operations, last } = await redispatch.openAfter(undefined, 5);
      await redispatch.openAfter(last, 5);
      await redispatch.renumber(operations);
    },
  ];
}

/** What people ask for, one by one and some together. */
const FILTERS: readonly OperationFilter[] = [
  {},
  ...STATUSES.map((status) => ({ status })),
  { type: 'hold.place' },
  { metadata: { order: 'wanted' } },
  { metadata: { order: 'wanted', shop: 'none' } },
  { metadata: { shop: 'every', order: 'no-7' }, type: 'wallet.credit', userId: 'nobody' },
  { createdAfter: FUTURE },
  { createdBefore: PAST },
  { idempotencyKey: 'none' },
  { userId: 'ann' },
  { userId: 'hot' },
  { userId: 'ann', type: 'transfer', createdAfter: PAST },
  { type: 'deposit', createdAfter: FUTURE },
  { status: 'rejected', createdAfter: FUTURE },
];

function listCalls(db: Db): readonly Call[] {
  const queued = createQueuedReads(db, scope);
  const reads = createOperationReads(db, scope, { lists: createListReads(90) });
  const after = `op_${'f'.repeat(32)}`;
  return [
    async () => reads.find(first(await some(db, {}))._id),
    async () => reads.findMany(ids(await some(db, {}))),
    async () => reads.list({ ids: ids(await some(db, {})) }, page),
    () => reads.findByKey('none'),
    () => queued.of('hot'),
    () => queued.of('ann'),
    ...FILTERS.map((filter) => () => reads.list(filter, page)),
    ...FILTERS.map((filter) => () => reads.list(filter, { ...page, after })),
  ];
}
