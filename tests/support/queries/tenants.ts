import type { Db } from 'mongodb';
import { createLeaseStore, createWorkerRoster } from '../../../core/infra/lease-store.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import {
  createTenantPolicies,
  createTenantSetup,
  ensureTenantPolicies,
} from '../../../core/provisioning/tenant-services-store.ts';
import { createRoster } from '../../../core/infra/roster-store.ts';
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
    ...processCalls(db),
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
    () => leases.release('lease', 'w'),
    () => workers.beat('w', ['settlement'], 8),
    () => workers.alive('settlement', 1_000),
    () => workers.leave('w'),
    () => roster.announce('p', ['email/smtp']),
    () => roster.others('q', 60_000),
  ];
}
