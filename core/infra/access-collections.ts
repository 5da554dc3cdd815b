/** Who may come in, and what people did: a part of `COLLECTIONS`, which says what a row means. */
export const ACCESS_COLLECTIONS = {
  // Written once and never changed: there is no statement that could.
  audit: {
    owner: 'core/audit',
    guests: {
      'core/operations/intervention-store.ts': 'in one transaction with what was done',
    },
    home: 'cell',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, operationId: 1, _id: 1 } },
      { key: { tenantId: 1, _id: -1 } },
      { key: { tenantId: 1, action: 1, _id: -1 } },
      { key: { tenantId: 1, actor: 1, _id: -1 } },
      {
        key: { tenantId: 1, targetId: 1, _id: -1 },
        partialFilterExpression: { targetId: { $exists: true } },
      },
      // What was done under a key is written down once.
      {
        key: { tenantId: 1, token: 1 },
        unique: true,
        partialFilterExpression: { token: { $exists: true } },
      },
    ],
  },
  tenants: {
    owner: 'core/tenants',
    guests: {
      'core/provisioning/tenant-services-store.ts': 'a new tenant',
      'core/ledger/ledger-reads-store.ts': 'whose system wallets are asked for',
      'core/ledger/rebuild/reads-store.ts': 'which wallets a tenant was set up with',
    },
    home: 'control',
    shardKey: '_id',
    retention: 'kept',
    indexes: [],
  },
  api_keys: {
    owner: 'core/access',
    guests: {
      'core/provisioning/tenant-services-store.ts': 'the first key of a new tenant',
    },
    home: 'control',
    shardKey: 'tenantId',
    retention: 'kept',
    indexes: [
      { key: { tenantId: 1, createdAt: 1 } },
      { key: { tenantId: 1, createdAt: -1, _id: -1 } },
    ],
  },
  // A while longer than the sessions, since clocks differ.
  admin_sign_outs: {
    owner: 'core/access',
    home: 'control',
    shardKey: '_id',
    retention: 'an hour after the sessions end',
    indexes: [{ key: { endsAt: 1 }, expireAfterSeconds: 3_600 }],
  },
} as const;
