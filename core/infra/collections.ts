import type { Collection, Db, Document } from 'mongodb';
import { ACCESS_COLLECTIONS } from './access-collections.ts';
import { STEERING_COLLECTIONS } from './steering-collections.ts';
import type { CollectionSpec } from './collection-spec.ts';
import { controlDatabaseOf } from './control-database.ts';
import { LEDGER_COLLECTIONS } from './ledger-collections.ts';

/** Types whose operations set something of wallets that no entry says; all that rebuilding reads. */
const SETTING_TYPES = ['user.create', 'user.update', 'wallet.open', 'wallet.update'];

/** Every collection that we own, with its indexes; `schema.ts` creates what is missing. */
export const COLLECTIONS = {
  operations: {
    owner: 'core/operations',
    guests: {
      'core/saga/journal-store.ts': 'the journal of a saga stands in its record',
      'core/ledger/verify/verify-store.ts': 'every entry has its operation',
      'core/ledger/rebuild/reads-store.ts': 'what no entry says stands in the operations',
      'core/notifications/routing/facts-store.ts':
        'what an event says of them, of a whole row at once',
    },
    home: 'cell',
    shardKey: 'tenantId',
    retention: "kept: its answer is the key's for ever",
    indexes: [
      { key: { tenantId: 1, idempotencyKey: 1 }, unique: true },
      // The lanes' reading order. Only what is still to be settled stands in it.
      {
        key: { lane: 1, stamp: 1, _id: 1 },
        partialFilterExpression: { status: 'accepted' },
      },
      // What stands in line beside the lanes: stepwise operations until they let it go, and whatever
      // waits behind one. Nearly always empty for a given line.
      { key: { line: 1, stamp: 1, _id: 1 }, partialFilterExpression: { line: { $exists: true } } },
      // Open operations that create users or wallets outside those users' own lines.
      { key: { creates: 1 }, partialFilterExpression: { creates: { $exists: true } } },
      // The head of a line (of a lane, which follows from the line), and the lines beside those that
      // cannot move: neither costs the backlog.
      {
        key: { lane: 1, orderingKey: 1, stamp: 1, _id: 1 },
        partialFilterExpression: { status: 'accepted' },
      },
      // The sweeper's question: who should have moved by now? By status, so that timers never see what
      // only waits for its turn in a lane.
      {
        key: { status: 1, nextCheckAt: 1, _id: 1 },
        partialFilterExpression: { nextCheckAt: { $exists: true } },
      },
      // What a pause holds back, in the order of acceptance.
      { key: { pausedBy: 1, _id: 1 }, partialFilterExpression: { pausedBy: { $exists: true } } },
      // Stepwise operations that may have lost their job. Of those that have one, none is looked at.
      {
        key: { nextCheckAt: 1, _id: 1 },
        partialFilterExpression: { status: 'accepted', 'dispatch.queue': 'saga' },
      },
      { key: { tenantId: 1, _id: -1 } },
      { key: { tenantId: 1, type: 1, _id: -1 } },
      // What a person looks for: everything that did not simply succeed. The gauges count in it, over
      // all tenants, and the backlog is counted in it.
      {
        key: { status: 1, tenantId: 1, _id: -1 },
        partialFilterExpression: {
          status: {
            $in: [
              ...['accepted', 'running', 'waiting', 'compensating', 'needs_attention'],
              ...['rejected', 'canceled', 'expired', 'compensated'],
            ],
          },
        },
      },
      // By a user that the input names.
      ...['input.userId', 'input.fromUserId', 'input.toUserId'].map((field) => ({
        key: { tenantId: 1, [field]: 1, _id: -1 } as const,
        partialFilterExpression: { [field]: { $exists: true } },
      })),
      // What rebuilding a wallet asks for; rare among operations.
      {
        key: { tenantId: 1, 'input.userId': 1, type: 1 },
        partialFilterExpression: { type: { $in: SETTING_TYPES } },
      },
      {
        key: { tenantId: 1, completedAt: 1 },
        partialFilterExpression: {
          type: 'batch',
          'input.operations.type': { $in: SETTING_TYPES },
        },
      },
      {
        key: { tenantId: 1, 'metadata.$**': 1, _id: -1 },
        partialFilterExpression: { metadata: { $exists: true } },
      },
    ],
  },
  ...LEDGER_COLLECTIONS,
  outbox: {
    owner: 'core/events',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'until it is dealt with',
    indexes: [
      { key: { nextCheckAt: 1 } },
      // Rows of one operation, where it has or may have several.
      {
        key: { 'turns.operationId': 1 },
        partialFilterExpression: { turns: { $exists: true } },
      },
    ],
  },
  // An id begins with the body of its operation's: those of an operation need no index.
  deliveries: {
    owner: 'core/notifications',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      // Overdue ones: what waits in the queue of its channel is not looked at.
      {
        key: { status: 1, channel: 1, nextCheckAt: 1, _id: 1 },
        partialFilterExpression: { nextCheckAt: { $exists: true } },
      },
      // What a pause holds back.
      { key: { pausedBy: 1, _id: 1 }, partialFilterExpression: { pausedBy: { $exists: true } } },
      // Newest first, of one channel or merged from all of them.
      { key: { tenantId: 1, channel: 1, createdAt: -1, _id: -1 } },
      {
        key: { tenantId: 1, userId: 1, createdAt: -1, _id: -1 },
        partialFilterExpression: { userId: { $exists: true } },
      },
      {
        key: { tenantId: 1, endpointId: 1, createdAt: -1, _id: -1 },
        partialFilterExpression: { endpointId: { $exists: true } },
      },
      // What a person looks for, and what is replayed.
      {
        key: { tenantId: 1, status: 1, createdAt: -1, _id: -1 },
        partialFilterExpression: {
          status: { $in: ['pending', 'sending', 'failed', 'skipped', 'expired', 'uncertain'] },
        },
      },
    ],
  },
  notification_rules: {
    owner: 'core/notifications',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [{ key: { tenantId: 1 } }],
  },
  webhook_endpoints: {
    owner: 'core/notifications',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, _id: -1 } },
      // There are as many slots as a tenant may have endpoints: a limit that holds in a race.
      {
        key: { tenantId: 1, slot: 1 },
        unique: true,
        partialFilterExpression: { slot: { $exists: true } },
      },
    ],
  },
  templates: {
    owner: 'core/notifications',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, name: 1, channel: 1, locale: 1, version: -1 }, unique: true },
      { key: { tenantId: 1, _id: 1 } },
      { key: { tenantId: 1, name: 1, _id: 1 } },
      {
        key: { tenantId: 1, repeatToken: 1 },
        unique: true,
        partialFilterExpression: { repeatToken: { $exists: true } },
      },
    ],
  },
  notification_repeats: {
    owner: 'core/notifications',
    home: 'cell',
    shardKey: 'tenantId',
    retention: '30 days',
    indexes: [{ key: { createdAt: 1 }, expireAfterSeconds: 2_592_000 }],
  },
  suppressions: {
    owner: 'core/notifications',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, createdAt: -1, _id: -1 } },
      { key: { tenantId: 1, reason: 1, createdAt: 1 } },
    ],
  },
  ...ACCESS_COLLECTIONS,
  ...STEERING_COLLECTIONS,
  leases: {
    owner: 'core/infra',
    home: 'both',
    shardKey: '_id',
    retention: 'kept',
    indexes: [],
  },
  workers: {
    owner: 'core/infra',
    home: 'both',
    shardKey: '_id',
    retention: 'an hour',
    indexes: [{ key: { seenAt: 1 }, expireAfterSeconds: 3_600 }],
  },
} as const satisfies Record<string, CollectionSpec>;

export type CollectionName = keyof typeof COLLECTIONS;

/**
 * A typed collection. int64 fields arrive as `bigint`; everything else as the driver's defaults.
 * Trusting the stored shape is this function's one cast; stores assert what matters after reading.
 */
export function collection<T extends Document>(db: Db, name: CollectionName): Collection<T> {
  const home = COLLECTIONS[name].home === 'control' ? controlDatabaseOf(db) : db;
  return home.collection<T>(name, { useBigInt64: true });
}

/** What a database has to have: of the control database and of a cell, or of one that is both. */
export type DatabaseRole = 'all' | 'control' | 'cell';

/** The collections of a database in its role. */
export function collectionsOf(role: DatabaseRole): readonly CollectionName[] {
  const names = Object.keys(COLLECTIONS) as CollectionName[];
  return names.filter((name) => {
    const { home } = COLLECTIONS[name];
    return role === 'all' || home === 'both' || home === role;
  });
}
