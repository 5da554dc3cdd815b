import type { ClientSession, Db, UpdateFilter } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import type { Json } from '../kernel/canonical.ts';
import { AppError } from '../kernel/errors.ts';
import { type OperationId, derivedId, newId } from '../kernel/ids.ts';
import type { HoldDoc } from '../ledger/documents.ts';
import type { TenantScope } from '../tenants/tenant.ts';
import { namedUsers } from '../events/event-users.ts';
import {
  type Intervention,
  type InterventionAction,
  type ReadSignal,
  interventionOn,
} from './intervention.ts';
import type { OperationDoc } from './operation.ts';
import type { OutboxEvent, OutboxRow } from '../events/outbox.ts';
import { outboxRows, turnOf } from '../events/outbox-rows.ts';
import type { OutboxStore } from '../events/outbox-store.ts';

/** Who did what to which operation, and what it made of it. Append-only. */
export interface AuditDoc {
  readonly _id: string;
  readonly tenantId: string;
  readonly operationId: OperationId;
  readonly action: InterventionAction['kind'];
  readonly actor: string;
  readonly correlationId?: string;
  readonly note?: string;
  /** Of a signal. */
  readonly name?: string;
  readonly data?: Json;
  /** Of a retry. */
  readonly assume?: 'applied' | 'absent';
  readonly direction?: 'forward' | 'back';
  readonly before: OperationDoc['status'];
  readonly after: OperationDoc['status'];
  readonly at: Date;
}

export interface InterventionRequest {
  readonly id: string;
  readonly action: InterventionAction;
  readonly readSignal: ReadSignal;
}

export interface Intervened {
  readonly operation: OperationDoc;
  /** Nothing new was asked for, so nothing was written. */
  readonly isRepeat: boolean;
  /** It has something to do now: enqueue it (recovery does, if that fails). */
  readonly isWoken: boolean;
  readonly rows: readonly OutboxRow[];
}

export interface InterventionStore {
  /**
   * What people and outside systems do to an operation: signal, cancel, retry, resolve. State,
   * audit line and event in one transaction, by compare-and-set.
   *
   * @throws AppError `not_found`, `not_cancelable` or `illegal_state`, and what `readSignal` throws.
   */
  intervene(tenant: TenantScope, request: InterventionRequest): Promise<Intervened>;
  auditOf(tenant: TenantScope, id: string): Promise<readonly AuditDoc[]>;
}

export function createInterventionStore(db: Db, outbox: OutboxStore): InterventionStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const audit = collection<AuditDoc>(db, 'audit');
  const holds = collection<HoldDoc>(db, 'holds');

  /** Nothing else could ever release what the operation has set aside. */
  const refuseOpenHolds = async (session: ClientSession, { _id, tenantId }: OperationDoc) => {
    // The ids of holds follow from their operation's, `hld_<body>` or `hld_<body>-<item>`: a range.
    const first = derivedId('hld', _id);
    const open = {
      _id: { $gte: first, $lt: `${first}.` as const },
      tenantId,
      operationId: _id,
      status: 'open' as const,
      managedBy: { $exists: true },
    };
    const hold = await holds.findOne(open, { session, projection: { _id: 1 } });
    if (hold === null) return;
    const detail = `Its hold ${hold._id} is still open: retry it, forward or back`;
    throw new AppError('illegal_state', detail, { context: { operationId: _id } });
  };

  const act = async (session: ClientSession, target: Target): Promise<Intervened> => {
    const { tenantId, id, action, now } = target;
    const before = await operations.findOne({ _id: id, tenantId }, { session });
    if (before === null) throw new AppError('not_found', 'There is no such operation');
    const intervention = interventionOn(before, action, target);
    if (action.kind === 'resolve') await refuseOpenHolds(session, before);
    if (Object.keys(intervention.set).length === 0) {
      return { operation: before, isRepeat: true, isWoken: false, rows: [] };
    }
    const isWoken = intervention.wakes;
    const after = await operations.findOneAndUpdate(
      { _id: id, epoch: before.epoch },
      updateOf(before, intervention, now),
      { session, returnDocument: 'after' },
    );
    if (after === null) throw new AppError('illegal_state', 'It has just moved; look again');
    const { kind, actor, correlationId } = action;
    const line: AuditDoc = {
      _id: newId('aud'),
      tenantId,
      operationId: id,
      action: kind,
      actor,
      ...(correlationId !== undefined && { correlationId }),
      ...('note' in action && { note: action.note }),
      ...('name' in action && { name: action.name, data: action.data }),
      ...('assume' in action && { assume: action.assume }),
      ...('direction' in action && { direction: action.direction }),
      before: before.status,
      after: after.status,
      at: now,
    };
    await audit.insertOne(line, { session });
    const rows = outboxRows(eventsOf(after, intervention, line), { batch: line._id, at: now });
    await outbox.insert(session, rows);
    return { operation: after, isRepeat: false, isWoken, rows };
  };

  return Object.freeze({
    intervene: async ({ tenantId }: TenantScope, { id, ...request }: InterventionRequest) => {
      const { now } = await readDatabaseTime(db);
      const target = { ...request, tenantId, id: id as OperationId, now };
      return db.client.withSession((session) =>
        session.withTransaction(() => act(session, target), TRANSACTION),
      );
    },
    auditOf: async ({ tenantId }: TenantScope, id: string) =>
      audit
        .find({ tenantId, operationId: id as OperationId }, { maxTimeMS: LIMITS.listMaxTimeMs })
        .sort({ _id: 1 })
        .limit(LIMITS.listLimitMax)
        .toArray(),
  } satisfies InterventionStore);
}

interface Target {
  readonly tenantId: string;
  readonly id: OperationId;
  readonly action: InterventionAction;
  readonly readSignal: ReadSignal;
  readonly now: Date;
}

function updateOf(
  before: OperationDoc,
  { set, unset, wakes, fences }: Intervention,
  now: Date,
): UpdateFilter<OperationDoc> {
  const { dispatch } = before;
  const woken = {
    dispatch: { queue: dispatch.queue, seq: dispatch.seq + 1, at: now },
    nextCheckAt: new Date(now.getTime() + LIMITS.recheckMs),
  };
  return {
    $set: { ...set, ...(wakes && woken), updatedAt: now },
    ...(unset.length > 0 && {
      $unset: Object.fromEntries(unset.map((field) => [field, ''])),
    }),
    ...(fences && { $inc: { epoch: 1 } }),
  };
}

function eventsOf(
  operation: OperationDoc,
  { isEnd }: Intervention,
  line: AuditDoc,
): ReadonlyMap<string, readonly OutboxEvent[]> {
  if (!isEnd) return new Map();
  const { _id, tenantId, type, status, input } = operation;
  const event = {
    id: `${_id}.${line._id}`,
    name: `operation.${status}`,
    operationId: _id,
    data: { type, ...namedUsers(input) },
    turn: turnOf(operation),
  };
  return new Map([[tenantId, [event]]]);
}
