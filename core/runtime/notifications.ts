import { LIMITS } from '../../config/limits.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import type { Breakers } from '../notifications/breaker-cache.ts';
import { createDeliveryStore } from '../notifications/delivery-store.ts';
import type { AnyProviders } from '../notifications/engine-deps.ts';
import { type DeliveryEngine, createDeliveryEngine } from '../notifications/engine.ts';
import { createFactsStore } from '../notifications/facts-store.ts';
import { type Gate, createGate } from '../notifications/gate.ts';
import { createPlans } from '../notifications/plans.ts';
import { type Policies, policiesWith } from '../notifications/policies.ts';
import type { Channel } from '../notifications/ports.ts';
import type { DeliveryPublisher } from '../notifications/publisher.ts';
import { type Router, createRouter } from '../notifications/routing.ts';
import { createRuleStore } from '../notifications/rule-store.ts';
import { createSuppressionStore } from '../notifications/suppression-store.ts';
import { createTemplateStore } from '../notifications/template-store.ts';
import { createTemplates } from '../notifications/template-cache.ts';
import { createEndpointHealthStore } from '../notifications/webhook-endpoint-store.ts';
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
    'env' | 'mongo' | 'clock' | 'random' | 'failpoint' | 'logger' | 'metrics' | 'processId'
  >;
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
  readonly gate: Gate;
}

/** Routing and delivery on MongoDB, with breakers shared through Redis. */
export function createNotifications(deps: NotificationDeps): Notifications {
  const { platform, publisher, breakers, providers, hasAny = () => false, tuning = {} } = deps;
  const { mongo, clock, random, failpoint, logger, metrics, processId } = platform;
  const { policies = policiesWith(platform.env.DELIVERY_POLICIES) } = tuning;
  const deliveries = createDeliveryStore(mongo.db);
  const facts = createFactsStore(mongo.db);
  const endpoints = createEndpointHealthStore(mongo.db);
  const rules = createRuleStore(mongo.db);
  const canSend = (channel: Channel): boolean => providers[channel].length > 0 || hasAny(channel);
  const shared = { deliveries, facts, policies, failpoint, logger, metrics };
  const gate = createGate({ breakers, clock, random, logger, metrics });
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
    gate,
    leaseMs: tuning.leaseMs ?? LIMITS.deliveryLeaseMs,
    workerId: processId,
    clock,
    random,
  });
  return Object.freeze({ router, engine, gate });
}
