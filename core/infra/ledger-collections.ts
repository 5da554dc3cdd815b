import type { CollectionSpec } from './collection-spec.ts';

/** The collections of the ledger; `collections.ts` has them with all others. */
export const LEDGER_COLLECTIONS = {
  users: {
    owner: 'core/ledger',
    guests: {
      'core/notifications/routing/facts-store.ts':
        'what an event says of them, of a whole row at once',
    },
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [{ key: { tenantId: 1, userId: 1 }, unique: true }],
  },
  wallets: {
    owner: 'core/ledger',
    guests: {
      'core/provisioning/tenant-services-store.ts': 'system wallets of a new tenant',
    },
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [{ key: { tenantId: 1, userId: 1, currency: 1 }, unique: true }],
  },
  transactions: {
    owner: 'core/ledger',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept: the log',
    indexes: [
      { key: { walletId: 1, seq: 1 }, unique: true },
      // A balance at a time looks for the last entry of each kind; these are the rare ones.
      {
        key: { walletId: 1, balanceType: 1, seq: -1 },
        partialFilterExpression: { balanceType: { $in: ['bonus', 'locked'] } },
      },
      // By time: an id is that of the operation, which may have been accepted long before.
      { key: { tenantId: 1, createdAt: -1, _id: -1 } },
      { key: { tenantId: 1, userId: 1, createdAt: -1, _id: -1 } },
    ],
  },
  transfers: {
    owner: 'core/ledger',
    guests: {
      'core/notifications/routing/facts-store.ts':
        'what an event says of them, of a whole row at once',
    },
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, createdAt: -1, _id: -1 } },
      { key: { tenantId: 1, fromUserId: 1, createdAt: -1, _id: -1 } },
      { key: { tenantId: 1, toUserId: 1, createdAt: -1, _id: -1 } },
    ],
  },
  holds: {
    owner: 'core/ledger',
    guests: {
      'core/notifications/routing/facts-store.ts':
        'what an event says of them, of a whole row at once',
      'core/operations/intervention-store.ts': 'no operation is given up while it holds funds',
    },
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, userId: 1, createdAt: -1, _id: -1 } },
      { key: { tenantId: 1, createdAt: -1, _id: -1 } },
      { key: { expiresAt: 1, _id: 1 }, partialFilterExpression: { status: 'open' } },
      // What a wallet that wants money may take back.
      {
        key: { tenantId: 1, userId: 1, currency: 1, expiresAt: 1 },
        partialFilterExpression: { status: 'open' },
      },
    ],
  },
  // The Merkle tree over each tenant's entries: hashes by the tile, 256 each.
  ledger_tiles: {
    owner: 'core/ledger',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept: the proof of the log',
    indexes: [
      // In which tile an entry stands.
      {
        key: { tenantId: 1, firstAt: -1, firstId: -1 },
        partialFilterExpression: { level: 0 },
      },
    ],
  },
  ledger_trees: {
    owner: 'core/ledger',
    home: 'cell',
    shardKey: '_id',
    retention: 'kept',
    indexes: [],
  },
  ledger_checkpoints: {
    owner: 'core/ledger',
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept: whoever has one may ask for what came of it',
    indexes: [{ key: { tenantId: 1, size: -1 } }],
  },
  // Where long work on the ledger has come to: one document each.
  ledger_marks: {
    owner: 'core/ledger',
    home: 'both',
    shardKey: '_id',
    retention: 'kept',
    indexes: [],
  },
} as const satisfies Record<string, CollectionSpec>;
