import { type ReadDatabaseTime, readDatabaseTime } from '../../core/infra/database-clock.ts';
import {
  type DeliveryAdmin,
  createDeliveryAdmin,
} from '../../core/notifications/delivery/delivery-admin.ts';
import {
  type DeliveryReads,
  createDeliveryReads,
} from '../../core/notifications/delivery/delivery-reads-store.ts';
import {
  type EndpointAdmin,
  createEndpointAdmin,
} from '../../core/notifications/webhooks/endpoint-admin.ts';
import { policiesOf } from '../../core/notifications/policies.ts';
import { createEnvGuard } from '../../core/notifications/providers/registry.ts';
import type { DeliveryPublisher } from '../../core/notifications/delivery/publisher.ts';
import {
  type RepeatStore,
  createRepeatStore,
} from '../../core/notifications/delivery/repeat-store.ts';
import { type RuleStore, createRuleStore } from '../../core/notifications/routing/rule-store.ts';
import {
  type SuppressionStore,
  createSuppressionStore,
} from '../../core/notifications/suppressions/suppression-store.ts';
import {
  type TemplateStore,
  createTemplateStore,
} from '../../core/notifications/templates/template-store.ts';
import {
  type EndpointStore,
  createEndpointStore,
} from '../../core/notifications/webhooks/webhook-endpoint-store.ts';
import type { Platform } from '../../runtime/platform.ts';
import type { TenantScope } from '../../core/tenants/tenant.ts';

/** What the endpoints about notifications work with, for one tenant. */
export interface NotificationServices {
  readonly deliveries: DeliveryReads & DeliveryAdmin;
  readonly endpoints: Pick<EndpointStore, 'find' | 'list' | 'remove'> & EndpointAdmin;
  readonly templates: TemplateStore;
  readonly suppressions: SuppressionStore;
  readonly rules: RuleStore;
  readonly repeats: RepeatStore;
  readonly databaseTime: ReadDatabaseTime;
}

export function createNotificationServices(
  { env, mongo, logger, settings }: Pick<Platform, 'env' | 'mongo' | 'logger' | 'settings'>,
  publisher: DeliveryPublisher,
): (tenant: TenantScope) => NotificationServices {
  const { db } = mongo;
  const guard = createEnvGuard(env);
  const policies = settings.view((all, tenant) => policiesOf(all, tenant));
  const rotation = settings.view((all, tenant) =>
    all.read('webhook.rotationMs', tenant === undefined ? {} : { tenant }),
  );
  const templates = createTemplateStore(db);
  const suppressions = createSuppressionStore(db);
  const rules = createRuleStore(db);
  const databaseTime = () => readDatabaseTime(db);
  return ({ tenantId }) => {
    const deliveries = createDeliveryReads(db, { tenantId, policies });
    const endpoints = createEndpointStore(db, tenantId);
    const repeats = createRepeatStore(db, tenantId);
    const shared = { deliveries, publisher, repeats, databaseTime, logger };
    const admin = createEndpointAdmin({
      ...shared,
      tenantId,
      endpoints,
      refusalOf: async (url) => {
        const verdict = await guard.check(url);
        return verdict.ok ? undefined : verdict.detail;
      },
      policies,
      rotationMs: () => rotation.of(tenantId),
    });
    return {
      deliveries: { ...deliveries, ...createDeliveryAdmin(shared) },
      endpoints: { ...endpoints, ...admin },
      templates,
      suppressions,
      rules,
      repeats,
      databaseTime,
    };
  };
}
