import { LIMITS } from '../../config/limits.ts';
import { createListReads } from '../../core/infra/reads/list-reads.ts';
import { createLedgerPoints } from '../../core/ledger/ledger-points-store.ts';
import { createLedgerQueries } from '../../core/ledger/ledger-reads-store.ts';
import { createLedgerProofs } from '../../core/ledger/proof/proofs-store.ts';
import { createLedgerSigner } from '../../runtime/ledger-signer.ts';
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
import { openWaiting } from './waiting-services.ts';
import type { Streams } from '../realtime/realtime.ts';
import type { Graphql } from './graphql.ts';
import type { ApiServices } from './services.ts';
import { type Waiters, createOutcomeWaiters } from '../writes/outcome-waiters.ts';

interface ServiceDeps {
  readonly platform: Platform;
  readonly publisher: JobPublisher & DeliveryPublisher;
  readonly hints: SettledHints;
  readonly streams: Streams;
  readonly waiters: Waiters;
  readonly graphql: Graphql;
  readonly backlog: Pick<Backlog, 'isFullFor'>;
  readonly installation: Pick<Installation, 'has'>;
  readonly settings: ApiServices['settings'];
  readonly pauses: ApiServices['pauses'];
  readonly access: AccessServices;
}

/** Builds what the endpoints work with; the platform's lifecycle releases it. */
export function openServices(deps: ServiceDeps): ApiServices {
  const { platform, publisher, hints, streams, waiters, graphql } = deps;
  const { clock, logger, metrics, mongo, lifecycle } = platform;
  const ingest = openIngest(deps);
  lifecycle.onClose('ingest', () => ingest.drain(), LIMITS.drainDeadlineMs);
  const lines = openLines(mongo.db, publisher, platform.pauses);
  const store = createInterventionStore(mongo.db, createOutboxStore(mongo.db));
  const registry = OPERATIONS;
  const waitMax = platform.settings.view((all, tenant) =>
    all.read('api.waitSecondsMax', tenant === undefined ? {} : { tenant }),
  );
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
    waiting: openWaiting({ platform, publisher, registry }),
    waiters,
    graphql,
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
    proofs: openProofs(platform),
    notifications: createNotificationServices(platform, publisher),
    intervene: createIntervene({ store, lines, publisher, hints, logger, metrics, registry }),
    auditOf: (tenant: TenantScope, id: string) => store.auditOf(tenant, id),
    settings: deps.settings,
    pauses: deps.pauses,
    waitSecondsMax: (tenantId: string) => waitMax.of(tenantId),
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

function openProofs({ mongo, env }: Platform): ApiServices['proofs'] {
  const signerOf = createLedgerSigner(mongo.db, env);
  return async (tenant) => {
    const signer = await signerOf();
    return signer && { ...createLedgerProofs(mongo.db, tenant), publicKey: signer.publicKey };
  };
}

function openIngest({ platform, publisher, backlog }: ServiceDeps): Ingest {
  const { env, clock, logger, metrics, failpoint, mongo, databaseClock, tracer } = platform;
  return createIngest({
    store: createOperationStore(mongo.db),
    databaseTime: databaseClock,
    publisher,
    clock,
    logger,
    metrics,
    failpoint,
    tracer,
    backlog: (tenantId, count) => backlog.isFullFor(tenantId, count),
    lanes: env.SETTLEMENT_LANES,
    laneQueue,
  });
}

/** Counts what is accepted and not settled, until the platform closes. */
export function openBacklog(
  platform: Platform,
  planOf: (tenantId: string) => number | undefined,
): Backlog {
  const { mongo, clock, logger, metrics, lifecycle, settings } = platform;
  const limits = settings.view((all, tenant) => ({
    max: all.read('ingest.backlogMax'),
    sampleMs: all.read('ingest.backlogSampleMs'),
    ownMax: all.read('ingest.tenantBacklogMax', tenant === undefined ? {} : { tenant }),
  }));
  const store = createOperationStore(mongo.db);
  const backlog = startBacklog({
    countOpen: async (max, tenantId) => store.countOpen(max, tenantId),
    ...{ clock, logger, metrics },
    limits: {
      max: () => limits.now.max,
      sampleMs: () => limits.now.sampleMs,
      ownMax: (tenantId) => tighter(limits.of(tenantId).ownMax, planOf(tenantId) ?? 0),
    },
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

/** Of a setting and a plan; 0 is none. */
function tighter(one: number, other: number): number {
  return one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other);
}
