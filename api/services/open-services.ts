import { LIMITS } from '../../config/limits.ts';
import { createListReads } from '../../core/infra/reads/list-reads.ts';
import { createLedgerPoints } from '../../core/ledger/ledger-points-store.ts';
import { createLedgerQueries } from '../../core/ledger/ledger-reads-store.ts';
import type { DeliveryPublisher } from '../../core/notifications/delivery/publisher.ts';
import { type Backlog, startBacklog } from '../../core/ingest/backlog.ts';
import { createIngest } from '../../core/ingest/ingest.ts';
import { createIntervene } from '../../core/operations/intervene.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Ingest } from '../../core/ingest/submission.ts';
import type { Installation } from '../../runtime/installation.ts';
import { tenantDatabases } from '../../runtime/cells.ts';
import type { Platform } from '../../runtime/platform.ts';
import { openWalletCache } from '../../runtime/wallet-cache.ts';
import { createInterventionStore } from '../../core/operations/intervention-store.ts';
import { createOperationPoints } from '../../core/operations/operation-points-store.ts';
import { createOperationReads } from '../../core/operations/operation-reads-store.ts';
import { createQueuedReads } from '../../core/operations/queued-reads-store.ts';
import { createOperationStore } from '../../core/operations/operation-store.ts';
import type { JobPublisher } from '../../core/operations/ports.ts';
import { type SettledHints, subscribeToHints } from '../../core/events/hints.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import type { TenantScope } from '../../core/tenants/tenant.ts';
import { laneQueue } from '../../queues/catalog.ts';
import type { AccessServices } from './access-services.ts';
import { createNotificationServices } from './notification-services.ts';
import type { Streams } from '../realtime/realtime.ts';
import type { ApiServices } from './services.ts';
import { type Waiters, createOutcomeWaiters } from '../writes/outcome-waiters.ts';

interface ServiceDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher & DeliveryPublisher;
  readonly hints: SettledHints;
  readonly streams: Streams;
  readonly waiters: Waiters;
  readonly backlog: Pick<Backlog, 'isFullFor'>;
  readonly installation: Pick<Installation, 'has'>;
  readonly access: AccessServices;
}

/** Builds what the endpoints work with; the platform's lifecycle releases it. */
export function openServices(deps: ServiceDeps): ApiServices {
  const { platform, publisher, hints, streams, waiters } = deps;
  const { clock, logger, metrics, mongo, lifecycle } = platform;
  const ingest = openIngest(deps);
  lifecycle.onClose('ingest', () => ingest.drain(), LIMITS.drainDeadlineMs);
  const lines = openLines(mongo.db, publisher);
  const store = createInterventionStore(mongo.db, createOutboxStore(mongo.db));
  const registry = OPERATIONS;
  const onGroup = (what: string, size: number): void => {
    metrics.readGroupSize.observe({ what }, size);
  };
  const ledgerPoints = createLedgerPoints(mongo.db, onGroup);
  const lists = createListReads(platform.env.LIST_STALENESS_SECONDS);
  const operationPoints = createOperationPoints(mongo.db, onGroup);
  return Object.freeze({
    ...deps.access,
    registry,
    hasProvider: (name: string) => deps.installation.has(`payment/${name}`),
    ingest,
    waiters,
    streams,
    clock,
    operations: perTenant((tenant) =>
      createOperationReads(mongo.db, tenant, { points: operationPoints, lists }),
    ),
    ledger: perTenant((tenant) =>
      createLedgerQueries(mongo.db, tenant, { points: ledgerPoints, lists }),
    ),
    queued: perTenant((tenant) => createQueuedReads(mongo.db, tenant)),
    walletCache: openWalletCache(platform, ledgerPoints.wallets),
    readConsistency: platform.env.READ_CONSISTENCY,
    notifications: createNotificationServices(platform, publisher),
    intervene: createIntervene({ store, lines, publisher, hints, logger, metrics, registry }),
    auditOf: (tenant: TenantScope, id: string) => store.auditOf(tenant, id),
  });
}

/** Made once for each scope, which every request of a key brings again while the key is in memory. */
function perTenant<T>(make: (tenant: TenantScope) => T): (tenant: TenantScope) => T {
  const made = new WeakMap<TenantScope, { readonly value: T }>();
  return (tenant) => {
    const known = made.get(tenant) ?? { value: make(tenant) };
    made.set(tenant, known);
    return known.value;
  };
}

function openIngest({ platform, publisher, backlog }: ServiceDeps): Ingest {
  const { env, clock, logger, metrics, failpoint, mongo, databaseClock } = platform;
  return createIngest({
    store: createOperationStore(mongo.db),
    databaseTime: databaseClock,
    publisher,
    clock,
    logger,
    metrics,
    failpoint,
    backlog: (tenantId, count) => backlog.isFullFor(tenantId, count),
    lanes: env.SETTLEMENT_LANES,
    laneQueue,
  });
}

/** Counts what is accepted and not settled, until the platform closes. */
export function openBacklog(
  { mongo, clock, logger, metrics, lifecycle }: Platform,
  limitOf: (tenantId: string) => number | undefined,
): Backlog {
  const store = createOperationStore(mongo.db);
  const backlog = startBacklog({
    countOpen: async (max, tenantId) => store.countOpen(max, tenantId),
    ...{ limitOf, clock, logger, metrics },
  });
  lifecycle.onClose('backlog', () => backlog.close());
  return backlog;
}

/** Requests that wait for outcomes, whichever cell those come from; closed with the platform. */
export function openWaiters(platform: Platform): Waiters {
  const { clock, logger, lifecycle } = platform;
  const databaseOf = tenantDatabases(platform);
  const subscription = subscribeToHints(platform.redis, (ids) => {
    waiters.hint(ids);
  });
  lifecycle.onClose('hint subscription', () => subscription.close());
  const waiters = createOutcomeWaiters({
    readMany: (tenant, ids) =>
      createOperationReads(databaseOf(tenant.tenantId), tenant).findMany(ids),
    isHinted: () => subscription.isLive(),
    clock,
    logger,
  });
  lifecycle.onClose('waiters', () => waiters.close());
  return waiters;
}
