import type { CollectionSpec } from './collection-spec.ts';

/** Of settings and pauses; rows of `COLLECTIONS`. */
export const STEERING_COLLECTIONS = {
  // Over when they are resumed, and kept: who, when and why.
  pauses: {
    owner: 'core/service-config',
    home: 'control',
    shardKey: '_id',
    retention: 'kept',
    indexes: [
      {
        key: { isActive: 1, key: 1 },
        unique: true,
        partialFilterExpression: { isActive: true },
      },
      {
        key: { 'subject.tenant': 1, _id: -1 },
        partialFilterExpression: { 'subject.tenant': { $exists: true } },
      },
    ],
  },
  // What has been set, one document a scope, and the counter of all changes.
  service_configs: {
    owner: 'core/service-config',
    home: 'control',
    shardKey: '_id',
    retention: 'kept',
    indexes: [],
  },
  service_config_history: {
    owner: 'core/service-config',
    home: 'control',
    shardKey: '_id',
    retention: 'kept',
    indexes: [
      { key: { scopeKey: 1, version: -1 }, unique: true },
      { key: { tenantId: 1, _id: -1 } },
      {
        key: { requestKey: 1 },
        unique: true,
        partialFilterExpression: { requestKey: { $exists: true } },
      },
    ],
  },
} as const satisfies Record<string, CollectionSpec>;
