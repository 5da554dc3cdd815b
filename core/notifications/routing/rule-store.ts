import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import type { RuledEvent } from './event-rules.ts';
import type { Channel } from '../ports.ts';

/** What a tenant has decided about an event, in place of the built-in channels. */
export interface RuleDoc {
  /** `<tenantId>/<event>` */
  readonly _id: string;
  readonly tenantId: string;
  readonly event: RuledEvent;
  readonly channels: readonly Channel[];
  readonly updatedAt: Date;
}

export interface RuleStore {
  ofTenant(tenantId: string): Promise<readonly RuleDoc[]>;
  put(rule: Omit<RuleDoc, '_id' | 'updatedAt'>): Promise<void>;
  /** Back to what is built in. */
  remove(tenantId: string, event: RuledEvent): Promise<void>;
}

export function createRuleStore(db: Db): RuleStore {
  const rules = collection<RuleDoc>(db, 'notification_rules');
  return Object.freeze({
    ofTenant: async (tenantId) =>
      rules
        .find({ tenantId }, { maxTimeMS: LIMITS.listMaxTimeMs })
        .limit(LIMITS.listLimitMax)
        .toArray(),
    put: async ({ tenantId, event, channels }) => {
      await rules.updateOne(
        { _id: `${tenantId}/${event}` },
        { $set: { tenantId, event, channels }, $currentDate: { updatedAt: true } },
        { upsert: true },
      );
    },
    remove: async (tenantId, event) => {
      await rules.deleteOne({ _id: `${tenantId}/${event}` });
    },
  } satisfies RuleStore);
}
