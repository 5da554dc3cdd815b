import { LIMITS } from '../../config/limits.ts';
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
import { createInterventionStore } from '../../core/operations/intervention-store.ts';
import { createOperationReads } from '../../core/operations/operation-reads-store.ts';
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
  return Object.freeze({
    ...deps.access,
    registry,
    hasProvider: (name: string) => deps.installation.has(`payment/${name}`),
    ingest,
    waiters,
    streams,
    clock,
    operations: (tenant: TenantScope) => createOperationReads(mongo.db, tenant),
    ledger: (tenant: TenantScope) => createLedgerQueries(mongo.db, tenant),
    notifications: createNotificationServices(platform, publisher),
    intervene: createIntervene({ store, lines, publisher, hints, logger, metrics, registry }),
    auditOf: (tenant: TenantScope, id: string) => store.auditOf(tenant, id),
  });
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
