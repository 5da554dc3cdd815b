import { type Db, type Document, Timestamp } from 'mongodb';
import { type CollectionName, collection } from '../../../core/infra/collections.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { DELIVERY_STATUSES } from '../../../core/notifications/delivery/delivery.ts';
import { SAGA_QUEUE } from '../../../core/operations/operation.ts';
import { STATUSES } from '../../../core/operations/status.ts';
import { TENANT } from '../platform.ts';

/** Of each kind that a query has to get past. */
const PILE = 300;
export const PAST = new Date('2026-01-01T00:00:00Z');
export const FUTURE = new Date('2100-01-01T00:00:00Z');
const TENANTS = [TENANT, 'other'];

/** So much of everything that whoever has no index for a question is found out. */
export async function pileUp(db: Db): Promise<void> {
  await pile(db, 'operations', TENANTS.flatMap(operationsOf));
  await pile(db, 'deliveries', TENANTS.flatMap(deliveriesOf));
  await pile(db, 'holds', TENANTS.flatMap(holdsOf));
  await pile(db, 'transactions', TENANTS.flatMap(entriesOf));
  const rows = TENANTS.flatMap((tenantId) => times((n) => ({ tenantId, n: `${tenantId}-${n}` })));
  for (const [name, of] of NAMED) await pile(db, name, rows.map(of));
}

/** One row of each name of each tenant. */
const NAMED: readonly (readonly [CollectionName, (row: Row) => Document])[] = [
  ['users', ({ tenantId, n }) => ({ _id: `${tenantId}/${n}`, tenantId, userId: n })],
  ['wallets', ({ tenantId, n }) => ({ ...wallet(tenantId, n), _id: `wal_${n}` })],
  ['transfers', ({ tenantId, n }) => ({ ...transfer(tenantId), _id: `trf_${n}` })],
  ['outbox', outboxRow],
  ['suppressions', suppression],
  ['templates', template],
  ['api_keys', ({ tenantId, n }) => ({ _id: n, tenantId, createdAt: PAST })],
  ['notification_rules', ({ tenantId, n }) => ({ _id: `rule-${n}`, tenantId })],
  ['webhook_endpoints', ({ tenantId, n }) => ({ _id: `whk_${n}`, tenantId })],
  ['audit', ({ tenantId, n }) => ({ _id: `aud_${n}`, tenantId, operationId: n })],
  ['workers', ({ n }) => ({ _id: `pile-${n}`, pools: ['x'], seenAt: PAST })],
  ['leases', ({ n }) => ({ _id: n, owner: n, until: FUTURE })],
  ['tenants', ({ n }) => ({ _id: n, currencies: [], createdAt: PAST })],
  ['admin_sign_outs', ({ n }) => ({ _id: n, endsAt: FUTURE })],
  ['notification_repeats', ({ n }) => ({ _id: n, createdAt: FUTURE })],
];

interface Row {
  readonly tenantId: string;
  readonly n: string;
}

function times<T>(of: (n: number) => T): T[] {
  return Array.from({ length: PILE }, (_, n) => of(n));
}

async function pile(db: Db, name: CollectionName, docs: Document[]): Promise<void> {
  await collection(db, name).insertMany(docs, { ordered: false });
}

let stamps = 0;

/** As an operation is stored, with what a query may ask for; nobody settles it. */
export function operation(fields: Document): Document & { _id: `op_${string}` } {
  stamps += 1;
  const _id = newOperationId();
  return {
    ...{
      _id,
      tenantId: TENANT,
      type: 'wallet.credit',
      typeVersion: 1,
      input: {},
      status: 'accepted',
    },
    ...{ idempotencyKey: _id, requestHash: '', epoch: 0, orderingKey: `${TENANT}|u:hot` },
    stamp: Timestamp.fromBits(stamps, 1),
    dispatch: { queue: 'lane-0', seq: 1, at: PAST },
    correlationId: 'pile',
    createdAt: PAST,
    ...fields,
  };
}

export const SAGA = { queue: SAGA_QUEUE, seq: 1, at: PAST };

/** In every status, in lanes and beside them, in one long line. */
function operationsOf(tenantId: string): Document[] {
  const orderingKey = `${tenantId}|u:hot`;
  const open = { tenantId, orderingKey, nextCheckAt: FUTURE };
  return [
    ...STATUSES.flatMap((status) => times(() => operation({ tenantId, orderingKey, status }))),
    ...times(() => operation({ ...open, lane: 0, input: { userId: 'hot' } })),
    ...times(() => operation({ ...open, lane: 0, input: { fromUserId: 'hot', toUserId: 'hot' } })),
    ...times(() => operation({ ...open, lane: 1, nextCheckAt: PAST })),
    ...times(() => operation({ ...open, type: 'deposit', dispatch: SAGA })),
    ...times(() => operation({ ...open, status: 'waiting', line: orderingKey })),
    ...times(() => operation({ ...open, status: 'waiting', line: orderingKey, lane: 0 })),
    ...times(() => operation({ ...open, status: 'waiting', creates: [`${orderingKey}2`] })),
    ...times(() => operation({ ...open, status: 'running', leaseUntil: FUTURE })),
    ...times(() => operation({ ...open, status: 'compensating', leaseUntil: FUTURE })),
    // Another tenant has the same words in plenty, and this one the same names.
    ...times((n) =>
      operation({
        tenantId,
        status: 'succeeded',
        metadata: { order: tenantId === TENANT ? `no-${n}` : 'wanted', shop: 'every' },
      }),
    ),
  ];
}

const BUSY = CHANNELS.filter((channel) => channel !== 'sms');

function deliveriesOf(tenantId: string): Document[] {
  return DELIVERY_STATUSES.flatMap((status) =>
    times((n) => ({
      // Of one channel there is none, of all others there are many.
      ...delivery({ tenantId, status, channel: BUSY[n % BUSY.length] }),
      ...(status === 'pending' && { nextCheckAt: FUTURE }),
    })),
  );
}

export function delivery(fields: Document): Document & { _id: `dlv_${string}` } {
  return {
    _id: `dlv_${newOperationId().slice(3)}0000000000000000`,
    ...{ tenantId: TENANT, channel: 'email', status: 'pending', userId: 'hot', category: 'money' },
    event: { id: 'evt_1', name: 'transfer.settled', at: PAST },
    ...{ address: 'a@test', template: 'x', data: {}, seq: 1, attempts: [], attemptsUsed: 0 },
    ...{ expiresAt: FUTURE, createdAt: PAST },
    ...fields,
  };
}

function wallet(tenantId: string, userId: string): Document {
  return { tenantId, userId, currency: 'EUR', balance: 0n, bonusBalance: 0n, lockedBalance: 0n };
}

function transfer(tenantId: string): Document {
  return { tenantId, fromUserId: 'hot', toUserId: 'hotter', amount: 1n, createdAt: PAST };
}

function holdsOf(tenantId: string): Document[] {
  const hold = { tenantId, userId: 'hot', currency: 'EUR', amount: 1n, captured: 0n, released: 0n };
  return ['open', 'captured'].flatMap((status) =>
    times((n) => ({ ...hold, status, _id: `hld_${tenantId}${status}${n}`, expiresAt: FUTURE })),
  );
}

function entriesOf(tenantId: string): Document[] {
  return ['real', 'bonus'].flatMap((balanceType) =>
    times((n) => ({
      _id: `op_pile.${tenantId}${balanceType}${n}`,
      ...{
        tenantId,
        balanceType,
        walletId: `wal_${tenantId}-${balanceType}`,
        seq: n,
        userId: 'hot',
      },
      createdAt: PAST,
    })),
  );
}

function outboxRow({ tenantId, n }: Row): Document {
  const turns = [{ operationId: 'op_elsewhere', turn: 1 }];
  return { _id: `obx_${n}`, tenantId, events: [], turns, nextCheckAt: FUTURE, createdAt: PAST };
}

function suppression({ tenantId, n }: Row): Document {
  const words = { channel: 'email', address: n, reason: 'gone' };
  return { _id: `sup_${n}`, tenantId, ...words, createdAt: PAST };
}

function template({ tenantId, n }: Row): Document {
  return { _id: `tpl_${n}`, tenantId, name: n, channel: 'email', locale: 'en', version: 1 };
}
