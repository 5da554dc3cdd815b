import type { Db } from 'mongodb';
import {
  createLeaseReads,
  createLeaseStore,
  createWorkerRoster,
} from '../../../core/infra/lease-store.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import {
  createTenantPolicies,
  createTenantSetup,
  ensureTenantPolicies,
} from '../../../core/provisioning/tenant-services-store.ts';
import { sampleLedger } from '../../../core/ledger/sample-store.ts';
import { createRoster } from '../../../core/infra/roster-store.ts';
import { createHeldDeliveriesStore } from '../../../core/notifications/delivery/held-deliveries-store.ts';
import { createHeldStore } from '../../../core/operations/held-store.ts';
import { createConfigStore } from '../../../core/service-config/config-store.ts';
import { createPauseStore } from '../../../core/service-config/pause-store.ts';
import { auditLine } from '../../../core/audit/audit.ts';
import { createAuditStore } from '../../../core/audit/audit-store.ts';
import { createApiKeyStore } from '../../../core/access/api-key-store.ts';
import { createSignOutStore } from '../../../core/access/sign-out-store.ts';
import { createTenantStore } from '../../../core/tenants/tenant-store.ts';
import { TENANT } from '../platform.ts';
import { FUTURE, PAST } from './piles.ts';
import type { Call } from './every-query.ts';

export function tenantCalls(db: Db): readonly Call[] {
  const tenants = createTenantStore(db);
  const keys = createApiKeyStore(db);
  const signOuts = createSignOutStore(db);
  const key = { _id: 'k', tenantId: TENANT, hash: 'h', scopes: [], name: 'k', createdAt: PAST };
  return [
    () => tenants.find(TENANT),
    () => tenants.working(500),
    () => tenants.ensure({ _id: 'mine', currencies: [], createdAt: PAST }),
    () => tenants.list({ limit: 10 }),
    () => tenants.list({ limit: 10, after: 'default' }),
    () =>
      tenants.change(
        'mine',
        { status: 'suspended' },
        {
          check: () => undefined,
          beside: async () => undefined,
        },
      ),
    () => keys.findMany(['k']),
    () => keys.find(TENANT, 'k'),
    () => keys.ensure(key),
    () => keys.insert({ ...key, _id: 'k2' }, async () => undefined),
    () =>
      keys.change(
        key,
        (one) => ({ key: one, isNew: true }),
        async () => undefined,
      ),
    () => keys.countOpen(TENANT, 1_000),
    () => keys.list(TENANT, { limit: 10 }),
    () => keys.list(TENANT, { limit: 10, after: `${PAST.getTime()}/k` }),
    () => keys.noteUse(['k', 'k2'], FUTURE),
    ...auditCalls(db),
    () => signOuts.add({ nonce: 'n', endsAt: FUTURE }),
    () => signOuts.has('n'),
    ...setupCalls(db),
    ...steeringCalls(db),
    ...processCalls(db),
  ];
}

function steeringCalls(db: Db): readonly Call[] {
  const configs = createConfigStore(db);
  const pauses = createPauseStore(db);
  const operations = createHeldStore(db);
  const deliveries = createHeldDeliveriesStore(db);
  const who = { author: 'me', reason: 'a test' };
  const request = { key: 'default/k', hash: 'h' };
  const change = { scope: {}, set: { 'saga.concurrency': 64 }, unset: [], ...who };
  return [
    () => configs.change({ ...change, request }),
    () => configs.change({ ...change, request }),
    () => configs.change({ ...change, set: {}, toVersion: 1 }),
    () => configs.readAll(),
    () => configs.lastGood('installation'),
    () => configs.at('installation', 1),
    () => configs.history({ limit: 5 }),
    () => configs.history({ scopeKey: 'installation', limit: 5 }),
    () => configs.history({ tenant: TENANT, limit: 5 }),
    async () => {
      const { pause } = await pauses.pause({ subject: { type: 'transfer' }, ...who });
      await pauses.pause({ subject: { type: 'transfer' }, ...who });
      await pauses.resume({ id: pause._id, ...who, perSecond: 1 });
      await pauses.pause({ subject: { type: 'transfer' }, ...who });
      await pauses.resume({ id: pause._id, ...who, perSecond: 1 });
      await pauses.end(pause._id);
      await pauses.resume({ id: pause._id, ...who });
    },
    () => pauses.active(),
    () => pauses.find('pau_1'),
    () => pauses.list({ limit: 5 }),
    () => pauses.list({ limit: 5, tenant: TENANT }),
    async () => {
      await operations.find({ except: ['pau_1'], limit: 5 });
      await operations.release(await operations.find({ pause: 'pau_2', limit: 5 }));
      await operations.release([{ _id: `op_${'0'.repeat(32)}`, orderingKey: 'x' }]);
    },
    () => operations.count('pau_1', 5),
    async () => {
      await deliveries.find({ except: ['pau_1'], limit: 5 });
      await deliveries.find({ pause: 'pau_2', limit: 5 });
      const none = {
        _id: `dlv_${'0'.repeat(48)}`,
        tenantId: TENANT,
        channel: 'sms',
        seq: 0,
      } as const;
      await deliveries.release([none]);
    },
    () => deliveries.count('pau_1', 5),
  ];
}

function auditCalls(db: Db): readonly Call[] {
  const audit = createAuditStore(() => db);
  const doer = { tenantId: TENANT, actor: 'rare', correlationId: 'c' };
  const page = { limit: 10 };
  const line = auditLine(doer, { action: 'key.create', targetId: 'rare', token: 't' }, PAST);
  return [
    () => audit.add([line]),
    () => audit.list(TENANT, {}, page),
    () => audit.list(TENANT, {}, { ...page, after: line._id }),
    () => audit.list(TENANT, { action: 'key.create' }, page),
    () => audit.list(TENANT, { action: 'operation.cancel' }, page),
    () => audit.list(TENANT, { actor: 'rare' }, page),
    () => audit.list(TENANT, { target: 'rare' }, page),
    () => audit.list(TENANT, { target: 'op_1' }, page),
    () => audit.list(TENANT, { createdAfter: FUTURE, createdBefore: FUTURE }, page),
  ];
}

function setupCalls(db: Db): readonly Call[] {
  const setup = createTenantSetup(db, systemClock);
  const tenant = { tenantId: 'new', currencies: ['EUR'], operationId: 'op_1' };
  const key = { id: 'k-new', hash: 'h' };
  return [
    () => createTenantPolicies(db).find(TENANT, 'EUR'),
    () => ensureTenantPolicies(db, TENANT, []),
    () => setup.reserve(tenant),
    () => setup.reserve(tenant),
    () => setup.prepareDatabase('new'),
    () => setup.addKey(tenant, key),
    () => setup.activate(tenant),
    () => setup.abandon(tenant),
    () => setup.addKey(tenant, key),
  ];
}

function processCalls(db: Db): readonly Call[] {
  const leases = createLeaseStore(db);
  const workers = createWorkerRoster(db);
  const roster = createRoster(db);
  return [
    () => leases.hold('lease', 'w', 1_000),
    () => createLeaseReads(db).find(['lease', 'sweep']),
    () => leases.release('lease', 'w'),
    () => workers.beat('w', ['settlement'], 8),
    () => workers.alive('settlement', 1_000),
    () => workers.leave('w'),
    () => roster.announce('p', ['email/smtp']),
    () => roster.others('q', 60_000),
    () => roster.count(60_000),
    async () => {
      const wallet = { _id: 'wal_other-real', tenantId: 'other', userId: 'sampled', seq: 5 };
      await db.collection<{ _id: string }>('wallets').insertOne(wallet);
      await sampleLedger(db, { entriesMax: 50, walletsMax: 5 });
    },
  ];
}
