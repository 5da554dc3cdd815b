import { LIMITS } from '../config/limits.ts';
import { readDatabaseTime } from '../core/infra/database-clock.ts';
import type { Breakers } from '../core/notifications/admission/breaker-cache.ts';
import { createDeliveryStore } from '../core/notifications/delivery/delivery-store.ts';
import type { AnyProviders } from '../core/notifications/delivery/engine-deps.ts';
import {
  type DeliveryEngine,
  createDeliveryEngine,
} from '../core/notifications/delivery/engine.ts';
import { createFactsStore } from '../core/notifications/routing/facts-store.ts';
import { type Admission, createAdmission } from '../core/notifications/admission/admission.ts';
import { createPlans } from '../core/notifications/routing/plans.ts';
import { type Policies, fixedPolicies, policiesOf } from '../core/notifications/policies.ts';
import { type TuningOf, deliveryTunings } from '../core/notifications/admission/breaker-tunings.ts';
import { type LiveSettings, fixedSettings } from '../core/service-config/live-settings.ts';
import type { Channel } from '../core/notifications/ports.ts';
import type { DeliveryPublisher } from '../core/notifications/delivery/publisher.ts';
import { type Router, createRouter } from '../core/notifications/routing/routing.ts';
import { createRuleStore } from '../core/notifications/routing/rule-store.ts';
import { createSuppressionStore } from '../core/notifications/suppressions/suppression-store.ts';
import { createTemplateStore } from '../core/notifications/templates/template-store.ts';
import { createTemplates } from '../core/notifications/templates/template-cache.ts';
import { createEndpointHealthStore } from '../core/notifications/webhooks/webhook-endpoint-store.ts';
import { NO_PAUSES, type Pauses } from '../core/service-config/pause.ts';
import type { Platform } from './platform.ts';

/** What tests are in a hurry about; by default as the tables say. */
export interface NotificationTuning {
  readonly policies?: Policies;
  readonly leaseMs?: number;
  readonly digestWindowMs?: number;
}

interface NotificationDeps {
  readonly platform: Pick<
    Platform,
    'mongo' | 'clock' | 'random' | 'failpoint' | 'logger' | 'metrics' | 'processId'
  > &
    Partial<Pick<Platform, 'tracer'>> & {
      readonly settings?: LiveSettings;
      readonly pauses?: Pauses;
    };
  readonly publisher: DeliveryPublisher;
  readonly breakers: Breakers;
  readonly providers: AnyProviders;
  /** Some process of the installation has a provider of the channel; by default none but ours. */
  readonly hasAny?: (channel: Channel) => boolean;
  readonly tuning?: NotificationTuning;
}

interface Notifications {
  readonly router: Router;
  readonly engine: DeliveryEngine;
  readonly admission: Admission;
}

/** Routing and delivery on MongoDB, with breakers shared through Redis. */
export function createNotifications(deps: NotificationDeps): Notifications {
  const { platform, publisher, breakers, providers, hasAny = () => false, tuning = {} } = deps;
  const { mongo, clock, random, failpoint, logger, metrics, processId, tracer } = platform;
  const { settings = fixedSettings() } = platform;
  const policies =
    tuning.policies === undefined
      ? settings.view((all, tenant) => policiesOf(all, tenant))
      : fixedPolicies(tuning.policies);
  const lines = settings.view((all) => ({
    lineMax: all.read('delivery.lineMax'),
    linesMax: all.read('delivery.linesMax'),
  }));
  const deliveries = createDeliveryStore(mongo.db);
  const facts = createFactsStore(mongo.db);
  const endpoints = createEndpointHealthStore(mongo.db);
  const rules = createRuleStore(mongo.db);
  const canSend = (channel: Channel): boolean => providers[channel].length > 0 || hasAny(channel);
  const traced = tracer === undefined ? {} : { tracer };
  const shared = { deliveries, facts, policies, failpoint, logger, metrics, ...traced };
  const admission = createAdmission({
    ...{ breakers, clock, random, logger, metrics },
    tuningOf: tuningsOf(settings),
    lines: { lineMax: () => lines.now.lineMax, linesMax: () => lines.now.linesMax },
  });
  const router = createRouter({
    ...shared,
    plans: createPlans({
      endpointsOf: (tenantId) => endpoints.ofTenant(tenantId),
      rulesOf: (tenantId) => rules.ofTenant(tenantId),
      canSend,
    }),
    publisher,
    databaseTime: () => readDatabaseTime(mongo.db),
    canSend,
    digestWindowMs: tuning.digestWindowMs ?? LIMITS.digestWindowMs,
  });
  const engine = createDeliveryEngine({
    ...shared,
    publisher,
    endpoints,
    suppressions: createSuppressionStore(mongo.db),
    templates: createTemplates(createTemplateStore(mongo.db)),
    providers,
    isElsewhere: (channel) => providers[channel].length === 0 && hasAny(channel),
    admission,
    pauses: platform.pauses ?? NO_PAUSES,
    leaseMs: tuning.leaseMs ?? LIMITS.deliveryLeaseMs,
    workerId: processId,
    clock,
    random,
  });
  return Object.freeze({ router, engine, admission });
}

/** How breakers behave by now; also for whoever makes them. */
export function tuningsOf(settings: LiveSettings): TuningOf {
  const tunings = settings.view((all) => deliveryTunings(all));
  return (key) => tunings.now(key);
}
