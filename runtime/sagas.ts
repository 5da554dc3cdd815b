import { LIMITS } from '../config/limits.ts';
import type { SagaShares } from '../config/saga-shares.ts';
import { planLookup } from '../core/saga/plans.ts';
import { OPERATIONS } from '../core/operation-types/registry.ts';
import type { Registry } from '../core/operations/define.ts';
import {
  createTenantPolicies,
  createTenantSetup,
} from '../core/provisioning/tenant-services-store.ts';
import { type ProviderAddresses, createProviders } from '../core/payments/providers/registry.ts';
import { type Env } from '../config/env.ts';
import { type OnCommitted, createLedgerStore } from '../core/ledger/ledger-store.ts';
import { type SagaEngine, createSagaEngine } from '../core/saga/engine.ts';
import { type Heartbeat, type LeaseTiming, createHeartbeat } from '../core/saga/heartbeat.ts';
import { createSagaJournal } from '../core/saga/journal-group.ts';
import { createJournalStore } from '../core/saga/journal-store.ts';
import { openLines } from '../core/operations/lines.ts';
import type { JobPublisher } from '../core/operations/ports.ts';
import type { SettledHints } from '../core/events/hints.ts';
import type {
  PaymentAdmission,
  PaymentProviders,
  SagaServices,
} from '../core/operations/services.ts';
import { createOutboxStore } from '../core/events/outbox-store.ts';
import { tenantDatabases } from './cells.ts';
import type { Pauses } from '../core/service-config/pause.ts';
import type { Platform } from './platform.ts';

export interface SagaOptions {
  readonly platform: Pick<
    Platform,
    | 'mongo'
    | 'databaseClock'
    | 'clock'
    | 'random'
    | 'failpoint'
    | 'logger'
    | 'metrics'
    | 'processId'
  > &
    Partial<Pick<Platform, 'tracer'>> & { readonly pauses?: Pauses };
  readonly publisher: JobPublisher;
  readonly hints: SettledHints;
  readonly services: SagaServices;
  readonly registry?: Registry;
  /** By default LIMITS; the fault tests are in a hurry. */
  readonly timing?: LeaseTiming;
  /** 1: every journal write alone (for the benchmark). */
  readonly groupMax?: number;
  readonly shares?: () => SagaShares;
  /** Told of wallets that postings have changed. */
  readonly onCommitted?: OnCommitted;
}

export interface Sagas {
  readonly engine: SagaEngine;
  readonly heartbeat: Heartbeat;
}

const USUAL: LeaseTiming = {
  leaseMs: LIMITS.operationLeaseMs,
  heartbeatMs: LIMITS.operationHeartbeatMs,
  fenceMs: LIMITS.operationFenceMs,
};

/** The saga engine on MongoDB. */
export function createSagas(options: SagaOptions): Sagas {
  const { platform, publisher, hints, services, registry = OPERATIONS, timing = USUAL } = options;
  const { mongo, databaseClock, clock, random, failpoint, logger, metrics, processId } = platform;
  const traced = platform.tracer === undefined ? {} : { tracer: platform.tracer };
  // Away from the stripes that the settlement slots of low ranks use.
  const firstStripe = Math.floor(random() * LIMITS.systemStripes);
  const journal = createSagaJournal({
    workerId: processId,
    store: createJournalStore(mongo.db),
    ledger: createLedgerStore(mongo.client, mongo.db, options.onCommitted),
    outbox: createOutboxStore(mongo.db),
    lines: openLines(mongo.db, publisher, platform.pauses),
    publisher,
    databaseTime: databaseClock,
    clock,
    random,
    failpoint,
    logger,
    metrics,
    ...traced,
    leaseMs: timing.leaseMs,
    stripeOf: (slot) => (firstStripe + slot) % LIMITS.systemStripes,
    ...(options.groupMax !== undefined && { groupMax: options.groupMax }),
  });
  const heartbeat = createHeartbeat({ journal, timing, clock, logger });
  const engine = createSagaEngine({
    journal,
    heartbeat,
    planOf: planLookup(registry),
    services,
    hints,
    clock,
    random,
    failpoint,
    logger,
    metrics,
    ...traced,
    ...(options.shares !== undefined && { shares: options.shares }),
  });
  return { engine, heartbeat };
}

export interface PaymentOptions {
  /** By default every call is let through. */
  readonly admission?: PaymentAdmission;
  /** By default as long as an attempt of any provider; the tests are in a hurry. */
  readonly attemptMs?: number;
  readonly terms?: PaymentProviders['terms'];
}

export function createServices(
  platform: Pick<Platform, 'mongo' | 'clock' | 'env'> & Partial<Pick<Platform, 'tracer'>>,
  payments: PaymentOptions = {},
): SagaServices {
  const { mongo, clock, env, tracer } = platform;
  const databaseOf = tenantDatabases(platform);
  return Object.freeze({
    payments: createProviders(providerAddresses(env), {
      ...payments,
      clock,
      ...(tracer !== undefined && { tracer }),
    }),
    policies: createTenantPolicies(mongo.db),
    tenants: createTenantSetup(mongo.db, clock, (tenantId) => ({
      db: databaseOf(tenantId),
      role: env.TENANCY === 'per-brand' ? 'cell' : 'all',
    })),
  });
}

function providerAddresses(env: Env): ProviderAddresses {
  const { SANDBOX_URL, PAYMENT_PROVIDER_URL, PAYMENT_PROVIDER_TOKEN } = env;
  return {
    ...(SANDBOX_URL !== undefined && { sandbox: { url: SANDBOX_URL } }),
    ...(PAYMENT_PROVIDER_URL !== undefined && {
      http: {
        url: PAYMENT_PROVIDER_URL,
        ...(PAYMENT_PROVIDER_TOKEN !== undefined && { token: PAYMENT_PROVIDER_TOKEN }),
      },
    }),
  };
}
